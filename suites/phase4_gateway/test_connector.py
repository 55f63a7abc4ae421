"""Phase 4: the gateway finds Lago, its key opens it, and what it shows is Lago's and not its own."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.clients.gateway import CAPABILITIES
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import GATEWAY, LABEL
from lago_acceptance.core.verdicts import Blocked, Unknown

pytestmark = [pytest.mark.smoke, pytest.mark.phase4]


@pytest.fixture(scope="session")
def expected(settings) -> None:
    """Unknown where the settings say that there is no gateway."""
    if not settings.hosts.gateway:
        raise Unknown("the settings name no gateway (hosts.gateway), so there is none to look at")


@pytest.fixture(scope="module")
def found(expected, request, inside_view, deployment) -> bool:
    """Whether a gateway's container was found. Unknown where one answers that can't be told from other
    containers.
    """
    if not inside_view.gateway and deployment.no_gateway:
        raise Unknown(deployment.no_gateway)
    if not inside_view.gateway and _answers(request):
        raise Unknown(
            f"the gateway answers, and no container on {deployment.network('gateway')} is known to be it: "
            "where its image "
            f"is not called so, the label {LABEL}={GATEWAY} tells it"
        )
    return bool(inside_view.gateway)


def _answers(request: pytest.FixtureRequest) -> bool:
    try:
        return request.getfixturevalue("gateway_reached").failure is None
    except (Blocked, Unknown):
        return False


@pytest.fixture(scope="module")
def inside(found, inside_view):
    """What the gateway's container sees of Lago. Blocked where no gateway runs."""
    if not found:
        raise Blocked("gateway-down", "what the gateway's container sees, for none runs")
    return inside_view


def test_the_gateway_runs_on_the_network_that_it_shares_with_lago(found, gateway_stack, deployment):
    if found:
        return
    reason = gateway_stack.failed if gateway_stack else None
    raise Red(
        Finding(
            id="gateway-down",
            role=GATEWAY,
            problem=f"no gateway runs on {deployment.network('gateway')}{f': {reason}' if reason else ''}",
            impact="no customer can buy, and nobody bills through it",
            fix="start it, and put it on this network; `docker logs` of it says why it ended",
        )
    )


def test_the_gateway_answers_by_its_public_name(gateway_reached):
    gateway_reached.value()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_gateway_offers(capability, offered, judge):
    judge(gateway_checks.offers(capability, offered.value()))


def test_lagos_name_is_lago_and_nobody_else_inside_the_gateway(inside, deployment, judge):
    judge(gateway_checks.finds_lago(inside, deployment.network("gateway")))


def test_lago_accepts_the_gateways_key(inside, judge):
    if not inside.has_key(GATEWAY):
        raise Unknown(
            "the gateway's container has no LAGO_API_KEY; whether its plans are Lago's tells of its key"
        )
    judge(gateway_checks.key_is_accepted(inside))


def test_lago_refuses_a_key_that_nobody_has(inside, judge):
    judge(gateway_checks.stranger_is_refused(inside))


def test_the_gateways_plans_are_lagos(operation, gateway, inside_view, seeded, judge):
    plans = operation("plans")
    held = inside_view.listed("api-plans", "plans")
    if not held:
        seeded.block_if_red("whose plans the gateway lists, for none could be seeded")
        raise Blocked("plan-missing", "whose plans the gateway lists, for Lago has none")
    judge(gateway_checks.plans_are_lagos(gateway.plans(plans), held, inside_view))


def test_the_gateway_is_healthy(gateway, inside_view, judge):
    judge(gateway_checks.is_healthy(gateway.health(), inside_view))


def test_without_a_token_the_gateway_refuses(operation, gateway, judge):
    judge(gateway_checks.auth_is_on(gateway.read(operation("subscriptions"))))


@pytest.mark.parametrize("kind", ["garbage", "forged", "expired"])
def test_the_gateway_refuses_a_token_that_is(kind, operation, gateway, gateway_stack, nobody, judge):
    if kind == "expired" and not gateway_stack:
        raise Unknown("only the gateway's own issuer can make a token that has merely expired")
    tokens = {
        "garbage": lambda: nobody.garbage,
        "forged": lambda: gateway_stack.issuer.forged() if gateway_stack else nobody.forged,
        "expired": lambda: gateway_stack.issuer.token(lifetime=-30),
    }
    judge(
        gateway_checks.token_is_refused(
            f"a token that is {kind}", gateway.read(operation("subscriptions"), tokens[kind]())
        )
    )


def test_the_gateway_takes_a_good_token(operation, gateway, tenants_token):
    gateway.read(operation("subscriptions"), tenants_token).taken("no customer can use the gateway")
