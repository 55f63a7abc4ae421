"""Who gets into Lago: the administrator can log in, nobody else can, and nobody signs up."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Facts


def must_be_possible(facts: Facts, red_rule: str) -> None:
    """Blocked where it is known already that nobody can log in: no API runs, or a rule about its address is red.

    ``red_rule`` is the id of that rule, "" where none is red.
    """
    availability.running(facts, API, "nobody can log in: the API is not running")
    if red_rule:
        raise Blocked(red_rule, "logging in")


@registry.check(
    phase=5, errors={"admin-email-capitals": "The administrator's address has no capital letters."}
)
def address_is_in_small_letters(email: str) -> Iterator[Finding]:
    """The administrator's address has no capital letters: the login page turns what is typed into small letters."""
    if email != email.lower():
        yield Finding(
            id="admin-email-capitals",
            role=FRONT,
            problem="the administrator's address has capital letters, but the login page converts what is typed to "
            "lower case",
            impact="the administrator can log in through the API but not in a browser",
            fix="write LAGO_ORG_USER_EMAIL in lower case before seeding; after seeding, invite the lower-case address "
            "and log in with that",
        )


def must_fit_the_form(email: str) -> None:
    """Blocked where the login page can't send this address."""
    if any(address_is_in_small_letters(email)):
        raise Blocked("admin-email-capitals", "logging in as the administrator")


@registry.check(phase=5, errors={"login-open": "Invalid credentials can't log in."})
def refuses_invalid_credentials(graphql: GraphQL, email: str, password: Secret) -> Iterator[Finding]:
    """Lago refuses an address and a password that it does not know."""
    try:
        graphql.login(email, password)
    except LoginRefused:
        return
    yield Finding(
        id="login-open",
        role=API,
        problem="an address and a password that don't exist were accepted",
        impact="anybody can see and change billing",
        fix="find out what answers at /graphql: Lago would refuse them",
    )


@registry.check(phase=5, errors={"signup-open": "Nobody can sign up through the API."})
def sign_up_is_refused(email: str, codes: list[str]) -> Iterator[Finding]:
    """Signing up through the API is refused. ``codes`` are those of the refusal, none where an account was made."""
    if "signup_disabled" not in codes:
        came = ", ".join(codes) if codes else f"an account for {email}"
        yield Finding(
            id="signup-open",
            role=API,
            problem=f"registerUser answered with {came}",
            impact="anybody can create an organization in this Lago",
            fix='set LAGO_DISABLE_SIGNUP to "true" on the API and on the front; remove the account in the database',
        )
