"""Lago's GraphQL API, the web UI's only backend: login, API key, sign-up (docs/lago-facts.md, section 3.10)."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import msgspec

from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.shapes import HeaderValue, trouble
from lago_acceptance.core.secrets import Secret

LOGIN = (
    "mutation($input: LoginUserInput!){loginUser(input:$input){token user{id email organizations{id name}}}}"
)
SIGN_UP = "mutation($input: RegisterUserInput!){registerUser(input:$input){token}}"
T = TypeVar("T")
_NOBODY = "nobody can log in to the web UI, and what needs a login can't be checked"
API_KEY = "query{organization{id name apiKey}}"


class _Organization(msgspec.Struct):
    id: HeaderValue
    name: str = ""


class _User(msgspec.Struct):
    organizations: list[_Organization] | None = None


class _Login(msgspec.Struct):
    token: HeaderValue | None = None
    user: _User | None = None


class _Keyed(msgspec.Struct):
    apiKey: HeaderValue | None = None


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
        token = session.token if session else None
        return self._connection.ask("POST", "/graphql", body, token, headers, repeatable=query is not SIGN_UP)

    def login(self, email: str, password: Secret) -> Session:
        """Log in to the user's first organization. LoginRefused for wrong credentials, Refused for any other error."""
        return self.sessions(email, password)[0][1]

    def sessions(self, email: str, password: Secret) -> list[tuple[str, Session]]:
        """Log in to each of the user's organizations, by its name. LoginRefused and Refused as ``login``."""
        answer = self.ask(LOGIN, {"input": {"email": email, "password": password.reveal()}})
        if "incorrect_login_or_password" in reasons(answer):
            raise LoginRefused(f"Lago rejects {email} with this password")
        made = _data(answer, "loginUser", _Login)
        organizations = (made.user and made.user.organizations) or []
        if not made.token or not organizations:
            answer.refuse("this user belongs to no organization and sees nothing")
        token = Secret(made.token)
        return [(each.name, Session(token, each.id)) for each in organizations]

    def api_key(self, session: Session) -> Secret:
        """The organization's first active API key."""
        answer = self.ask(API_KEY, session=session)
        if not (key := _data(answer, "organization", _Keyed).apiKey):
            answer.refuse("no API key is known, since this user may not see the organization's key")
        return Secret(key)

    def sign_up(self, email: str, password: Secret, organization: str) -> list[str]:
        """Try to create an account; the error codes, none if it was created."""
        wanted = {"email": email, "password": password.reveal(), "organizationName": organization}
        answer = self.ask(SIGN_UP, {"input": wanted})
        if not (found := reasons(answer)):
            _data(answer, "registerUser", dict[str, Any])
        return found


def reasons(answer: ApiAnswer) -> list[str]:
    """The codes of an answer's errors and of their details; the message of an error without a code."""
    found: list[Any] = []
    for error in _listed(_member(answer.body, "errors")):
        extensions = _member(error, "extensions")
        details = _member(extensions, "details")
        for codes in details.values() if isinstance(details, dict) else ():
            found += codes if isinstance(codes, list) else [codes]
        found.append(_member(extensions, "code") or _member(error, "message"))
    return [code for code in found if isinstance(code, str)]


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _data(answer: ApiAnswer, name: str, shape: type[T]) -> T:
    found = answer.part("data").get(name)
    if not isinstance(found, dict) or answer.body.get("errors"):
        answer.refuse(_NOBODY)
    if why := trouble(found, shape):
        answer.refuse(_NOBODY, f" ({name}: {why})")
    return msgspec.convert(found, shape)
