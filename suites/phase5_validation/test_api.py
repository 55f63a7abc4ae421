"""Phase 5: Lago's API and login, asked directly."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import diagnosis
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.verdicts import Blocked, Unknown

pytestmark = [pytest.mark.smoke, pytest.mark.phase5]


def test_the_api_answers_by_its_public_name(api_reached):
    api_reached.value()


def test_the_organization_answers_to_its_key(facts, inside_view):
    if not inside_view.api:
        raise Blocked(diagnosis.blocker(facts), "Lago's API, which does not run")
    if inside_view.lacks_key("api"):
        raise Unknown(
            "no container of Lago has LAGO_API_KEY, so the organization can't be asked for from inside"
        )
    answer = inside_view.of_api("api-organization", "organization")
    document = answer.document
    if (
        answer.status != 200
        or not isinstance(document, dict)
        or not document.get("organization", {}).get("lago_id")
    ):
        raise Red(
            Finding(
                id="api-key-refused" if answer.status == 401 else "api-refused",
                role=API,
                problem=f"/api/v1/organizations with the container's own key is answered by {answer.said}",
                impact="whoever uses the configured key can't bill",
                fix="seed with LAGO_ORG_API_KEY and LAGO_API_KEY both set (1.16.0 takes the second's "
                "value), "
                "or put the organization's real key into LAGO_API_KEY",
            )
        )


def test_the_api_lists_its_plans(inside_view, seeded):
    plans = inside_view.listed("api-plans", "plans")
    if not plans:
        seeded.block_if_red("Lago's plans, which were to be seeded")
        raise Red(
            Finding(
                id="plan-missing",
                role=API,
                problem="Lago has no plan at all",
                impact="there is nothing to subscribe to",
                fix="seed the catalogue: --seed, or in the web UI",
            )
        )


@pytest.mark.parametrize("how", ["without a key", "with a wrong key", "with a key and no scheme"])
def test_the_api_refuses(how, api_connection, deployment, nobody, judge):
    from lago_acceptance.clients.invalid_credentials import ORGANIZATION

    answer = api_connection.ask("GET", ORGANIZATION, headers=nobody.headers(deployment.api_key)[how])
    wanted = {"status": 401, "error": "Unauthorized"}
    if answer.status != 401 or answer.body != wanted:
        judge(
            [
                Finding(
                    id="api-open",
                    role=API,
                    problem=f"{how}, the organization is answered by {answer.said}",
                    impact="strangers read and change billing, or what answers is not Lago",
                    fix="look at what the proxy adds to requests, and which service it routes this name to",
                )
            ]
        )


def test_login_refuses_what_it_does_not_know(graphql, nobody):
    from lago_acceptance.clients.graphql import LoginRefused

    try:
        graphql.login(nobody.email, nobody.password)
    except LoginRefused:
        return
    raise Red(
        Finding(
            id="login-open",
            role=API,
            problem="an address and a password that nobody has were let in",
            impact="anybody sees and changes billing",
            fix="find out what answers at /graphql: Lago refuses",
        )
    )


def test_the_administrators_address_is_in_small_letters(admin, judge):
    email = admin[0]
    if email != email.lower():
        judge(
            [
                Finding(
                    id="admin-email-capitals",
                    role=FRONT,
                    problem="the administrator's address has capitals, and the login page turns what is typed "
                    "into small letters",
                    impact="the administrator can log in by API and never in a browser",
                    fix="write LAGO_ORG_USER_EMAIL in small letters before seeding; later, invite the "
                    "small one and log in as it",
                )
            ]
        )
