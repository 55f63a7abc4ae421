"""Who gets into Lago: each answer, and each precondition, is judged on its own."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import login
from lago_acceptance.clients.graphql import LoginRefused
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked
from tests.support.facts import container, facts


class Lago:
    """A Lago that lets in everybody, or nobody."""

    def __init__(self, lets_in: bool):
        self.lets_in = lets_in

    def login(self, email: str, password: Secret) -> None:
        if not self.lets_in:
            raise LoginRefused(f"Lago refuses {email}")


def ids(findings) -> list[str]:
    return [each.id for each in findings]


@pytest.mark.parametrize("lets_in, expected", [(False, []), (True, ["login-open"])])
def test_invalid_credentials_must_be_refused(lets_in, expected):
    found = login.refuses_invalid_credentials(Lago(lets_in), "nobody@example.test", Secret("not-a-password"))
    assert ids(found) == expected


@pytest.mark.parametrize(
    "codes, expected", [(["signup_disabled"], []), (["invalid"], ["signup-open"]), ([], ["signup-open"])]
)
def test_signing_up_must_be_refused_because_it_is_disabled(codes, expected):
    found = list(login.sign_up_is_refused("nobody@example.test", codes))
    assert ids(found) == expected
    assert all((codes or ["nobody@example.test"])[0] in each.problem for each in found)


def test_an_address_with_capitals_is_red_and_blocks_the_login():
    assert ids(login.address_is_in_small_letters("admin@example.test")) == []
    login.must_fit_the_form("admin@example.test")
    assert ids(login.address_is_in_small_letters("Admin@example.test")) == ["admin-email-capitals"]
    with pytest.raises(Blocked, match="admin-email-capitals"):
        login.must_fit_the_form("Admin@example.test")


def test_what_is_red_already_blocks_the_login():
    running = facts(container(API), container(FRONT))
    login.must_be_possible(running, "")
    with pytest.raises(Blocked, match="cors-front-url-missing"):
        login.must_be_possible(running, "cors-front-url-missing")
    with pytest.raises(Blocked, match="service-down"):
        login.must_be_possible(
            facts(container(FRONT), container(API, running=False)), "cors-front-url-missing"
        )
