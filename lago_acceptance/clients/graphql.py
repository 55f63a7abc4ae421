"""Lago's GraphQL API, the web UI's only backend: login, API key, sign-up (docs/lago-facts.md, section 3.10)."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.connection import Connection
from lago_acceptance.core.secrets import Secret

LOGIN = (
    "mutation($input: LoginUserInput!){loginUser(input:$input){token user{id email organizations{id name}}}}"
)
SIGN_UP = "mutation($input: RegisterUserInput!){registerUser(input:$input){token}}"
API_KEY = "query{organization{id name apiKey}}"


class Session(msgspec.Struct, frozen=True):
    """A logged-in user: the token, and the organization whose data is requested."""

    token: Secret
    organization: str


class SignUp(NamedTuple):
    """A user who signs up, and the organization that this would create."""

    email: str
    password: Secret
    organization: str


class LoginRefused(Exception):
    """Lago rejects this email address and password."""


class GraphQL:
    """The GraphQL API of one Lago. Errors come with HTTP 200, so the status means nothing."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def ask(
        self, query: str, variables: dict[str, Any] | None = None, session: Session | None = None
    ) -> ApiAnswer:
        """The answer to one operation, errors included."""
        headers = {"x-lago-organization": session.organization} if session else {}
        body = {"query": query, "variables": variables or {}}
        return self._connection.ask("POST", "/graphql", body, session.token if session else None, headers)

    def login(self, email: str, password: Secret) -> Session:
        """Log in. LoginRefused for wrong credentials, Refused for any other error."""
        answer = self.ask(LOGIN, {"input": {"email": email, "password": password.reveal()}})
        if "incorrect_login_or_password" in reasons(answer):
            raise LoginRefused(f"Lago rejects {email} with this password")
        made = _data(answer, "loginUser")
        organizations = (made.get("user") or {}).get("organizations") or []
        if not made.get("token") or not organizations:
            answer.refuse("this user belongs to no organization and sees nothing")
        return Session(Secret(made["token"]), organizations[0]["id"])

    def api_key(self, session: Session) -> Secret:
        """The organization's first active API key."""
        answer = self.ask(API_KEY, session=session)
        if not (key := _data(answer, "organization").get("apiKey")):
            answer.refuse("no API key is known, since this user may not see the organization's key")
        return Secret(key)

    def sign_up(self, email: str, password: Secret, organization: str) -> list[str]:
        """Try to create an account; the error codes, none if it was created."""
        wanted = {"email": email, "password": password.reveal(), "organizationName": organization}
        answer = self.ask(SIGN_UP, {"input": wanted})
        if not (found := reasons(answer)):
            _data(answer, "registerUser")
        return found


def reasons(answer: ApiAnswer) -> list[str]:
    """The codes of an answer's errors and of their details; the message of an error without a code."""
    errors = answer.body.get("errors") or [] if isinstance(answer.body, dict) else []
    found: list[str] = []
    for error in (each for each in errors if isinstance(each, dict)):
        extensions = error.get("extensions") or {}
        details = extensions.get("details")
        given = details.values() if isinstance(details, dict) else ()
        found += [code for codes in given for code in (codes if isinstance(codes, list) else [codes])]
        found.append(extensions.get("code") or error.get("message", ""))
    return found


def _data(answer: ApiAnswer, name: str) -> dict[str, Any]:
    data = answer.part("data")
    found = data.get(name)
    if not isinstance(found, dict) or answer.body.get("errors"):
        answer.refuse("nobody can log in to the web UI, and what needs a login can't be checked")
    return found
