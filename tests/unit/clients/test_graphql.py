"""The GraphQL client: logins and sign-ups that are refused, and the organization's key."""

from __future__ import annotations

import httpx
import pytest
import respx

from lago_acceptance.clients.answers import Refused
from lago_acceptance.clients.graphql import GraphQL, LoginRefused, Session
from lago_acceptance.core.secrets import Secret


def _graphql(code: str, details: dict | None = None) -> httpx.Response:
    extensions = {"status": 422, "code": code, **({"details": details} if details else {})}
    return httpx.Response(
        200, json={"data": {"loginUser": None}, "errors": [{"message": "No", "extensions": extensions}]}
    )


@respx.mock
def test_a_wrong_password_differs_from_a_broken_login(connection):
    graphql, password = GraphQL(connection), Secret("a-password-of-this-test")
    respx.route().mock(
        return_value=_graphql("unprocessable_entity", {"base": ["incorrect_login_or_password"]})
    )
    with pytest.raises(LoginRefused):
        graphql.login("a@example.test", password)
    respx.route().mock(return_value=_graphql("internal_error"))
    with pytest.raises(Refused):
        graphql.login("a@example.test", password)


@respx.mock
def test_sign_up_gives_the_codes_of_its_refusal(connection):
    respx.route().mock(return_value=_graphql("signup_disabled"))
    assert GraphQL(connection).sign_up("a@example.test", Secret("a-password-of-this-test"), "x") == [
        "signup_disabled"
    ]
    respx.route().mock(return_value=httpx.Response(200, json={"data": {"registerUser": {"token": "t"}}}))
    assert GraphQL(connection).sign_up("a@example.test", Secret("a-password-of-this-test"), "x") == []


@respx.mock
def test_the_organizations_key_is_asked_for_in_its_name(connection):
    answer = {"data": {"organization": {"id": "o", "name": "n", "apiKey": "the-key-itself"}}}
    route = respx.route().mock(return_value=httpx.Response(200, json=answer))
    key = GraphQL(connection).api_key(Session(Secret("a-session-token"), "o"))
    assert key.reveal() == "the-key-itself"
    assert route.calls[0].request.headers["x-lago-organization"] == "o"
