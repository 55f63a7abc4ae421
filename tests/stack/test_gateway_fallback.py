"""The gateway's fallback in every row is red with the reason: Lago empty, refusing the key, down, hanging,
or not Lago.
"""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway, gateway_inside, gateway_plans, inside
from lago_acceptance.checks.gateway_effect import by_effect
from lago_acceptance.clients.gateway import of_a_tenant, required
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.scenarios.gateway_purchase import GatewayPurchase
from lago_acceptance.scenarios.preconditions import Preconditions
from tests.support import containers
from tests.support.billing_stack import ids

pytestmark = [pytest.mark.stack, pytest.mark.docker]

IMPOSTOR = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        how = self.path.split("/")[1]
        status, kind, body = {
            "500": (500, "application/json", b'{"status":500,"error":"Internal Server Error"}'),
            "html": (200, "text/html", b"<title>Lago - Cloud</title>"),
        }.get(how, (302, "text/html", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "https://elsewhere.example.test/") if status == 302 else None
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.mark.exhaustive
def test_a_lago_without_plans_gives_the_gateway_none(world):
    assert inside.listed(world.view(), "api-plans", "plans") == []
    offered = world.offered()
    assert world.gateway.plans(offered["plans"]) == []
    issuer = world.stack.gateway.issuer
    refused = world.gateway.subscribe(offered["subscribe"], "starter", issuer.tenant, issuer.token())
    assert (refused.status, refused.body) == (400, {"detail": "Plan not found"})
    made = _through_gateway(world)
    assert made.subscribed.failure.findings[0].id == "gateway-refused"
    assert "400" in made.subscribed.failure.findings[0].problem


WRONG_KEY = "11111111-2222-4333-8444-555555555555"


def test_a_key_in_its_source_that_lago_refuses_is_told_with_its_log(world, seeded):
    with world.changed("brain-gateway", LAGO_KEY_IN_SOURCE=WRONG_KEY):
        view = world.view()
        # Its variable is right, and read by nothing.
        assert ids(gateway_inside.key_is_accepted(view)) == set()
        (found,) = world.plans()
        assert found.id == "gateway-plans-are-its-own"
        assert "uses another key or URL than these" in found.problem
        assert "Lago error fetching plans: Client error '401 Unauthorized'" in found.problem
        assert ids(gateway.is_healthy(world.gateway.health(), view)) == set()
        made = _through_gateway(world)
        subscribed = made.subscribed.value()
        assert subscribed.answer["status"] == "active"
        (own,) = gateway_plans.created_in_lago(
            subscribed.answer, subscribed.plan, subscribed.held, world.view()
        )
        assert own.id == "gateway-subscription-is-its-own" and "Lago error" in own.problem
        assert isinstance(made.seen.failure, Blocked)


def test_a_variable_that_nothing_reads_is_a_warning(world, seeded):
    with world.changed("brain-gateway", LAGO_API_KEY=WRONG_KEY):
        view = world.view()
        assert ids(gateway_inside.key_is_accepted(view)) == {"gateway-key-refused"}
        assert ids(world.plans()) == set()
        assert ids(by_effect(gateway_inside.key_is_accepted(view), True)) == {"gateway-variables-unused"}


@pytest.mark.exhaustive
def test_a_plan_that_the_gateway_can_not_read_is_named(world, seeded):
    made = {"name": "odd", "code": "odd", "interval": "monthly", "amount_cents": 1, "amount_currency": "USD"}
    world.lago.create("plans", "plan", {**made, "pay_in_advance": True, "trial_period": 14.5})
    try:
        (found,) = world.plans()
        assert found.id == "gateway-plans-are-its-own"
        assert "trial_period of odd" in found.problem and "1 validation error" in found.problem
    finally:
        world.lago.delete("plans/odd")


def _through_gateway(world, other: str = "") -> GatewayPurchase:
    offered = world.offered()
    made = GatewayPurchase(
        world.gateway,
        world.lago,
        world.stack.gateway.issuer.token(),
        world.owner,
        world.stack.permit,
        "starter",
        Preconditions(),
        other=other,
    )
    return made.run(lambda name: required(offered, name))


def _beside(world, alias: str, *command: str):
    """A container on the network of gateway and Lago, under a name of that network."""
    image = world.stack.images["python:3.11-alpine"].reference
    options = ("--network", world.stack.network("gateway"), "--network-alias", alias)
    return containers.running(image, *command, options=options, name=f"{world.run.project}-{alias}-beside")


@pytest.fixture(scope="module")
def impostor(world):
    """A server beside Lago that is not Lago: what its path names is how it answers."""
    with _beside(world, "not-lago", "python3", "-c", IMPOSTOR):
        yield "http://not-lago:8000"


@pytest.mark.parametrize(
    "how, said",
    [
        ("500", "500"),
        pytest.param("html", "<title>Lago", marks=pytest.mark.exhaustive),
        pytest.param("redirect", "302", marks=pytest.mark.exhaustive),
    ],
)
def test_whatever_answers_in_lagos_place_the_fallback_is_red_with_the_reason(
    how, said, world, seeded, impostor
):
    with world.changed(
        "brain-gateway", LAGO_API_URL=f"{impostor}/{how}", LAGO_URL_IN_SOURCE=f"{impostor}/{how}"
    ):
        found = world.plans()
        assert ids(found) == {"gateway-plans-are-its-own"}
        assert said in found[0].problem
        with pytest.raises(Blocked, match="lago-not-reached-by-gateway"):
            list(gateway_inside.key_is_accepted(world.view()))
        made = _through_gateway(world)
        subscribed = made.subscribed.value()
        assert subscribed.answer["status"] == "active"
        assert ids(gateway_plans.created_in_lago(subscribed.answer, subscribed.plan, subscribed.held)) == {
            "gateway-subscription-is-its-own"
        }
        for name in ("seen", "invoiced", "used"):
            assert getattr(made, name).failure.by == "gateway-subscription-is-its-own", name


def _bought(world) -> dict:
    """What the gateway answers to a subscription now."""
    issuer = world.stack.gateway.issuer
    return world.gateway.subscribe(
        world.offered()["subscribe"], "starter", issuer.tenant, issuer.token()
    ).taken()


def _must_be_its_own(world, bought: dict) -> None:
    """Bought while Lago gave the gateway nothing: it said active, and Lago, asked now, holds nothing."""
    held = world.lago.all("subscriptions", external_customer_id=world.stack.gateway.issuer.tenant)
    assert ids(gateway_plans.created_in_lago(bought, "starter", held)) == {"gateway-subscription-is-its-own"}
    assert bought["status"] == "active"


@pytest.mark.exhaustive
def test_a_lago_that_is_down_is_told_although_the_gateway_lists_plans(world, seeded):
    held = inside.listed(world.view(), "api-plans", "plans")
    with world.stopped("lago-api"):
        view = world.view()
        assert ids(gateway_inside.finds_lago(view, world.stack.network("gateway"))) & {
            "gateway-cannot-resolve-lago",
            "lago-not-reached-by-gateway",
        }
        with pytest.raises(Blocked, match="gateway-cannot-resolve-lago|lago-not-reached-by-gateway"):
            list(gateway_inside.key_is_accepted(view))
        assert ids(world.plans(held)) == {"gateway-plans-are-its-own"}
        bought = _bought(world)
    _must_be_its_own(world, bought)


@pytest.mark.exhaustive
def test_a_lago_that_hangs_is_told_although_the_gateway_lists_plans(world, seeded):
    held = inside.listed(world.view(), "api-plans", "plans")
    with world.frozen("lago-api"):
        found = gateway_plans.plans_are_lagos(
            world.gateway.plans(world.offered()["plans"]), held, world.view()
        )
        assert ids(found) == {"gateway-plans-are-its-own"}
        bought = _bought(world)
    _must_be_its_own(world, bought)


def test_authentication_that_is_off_and_the_gateway_of_february_are_told(world, seeded, impatient):
    with world.changed("brain-gateway", DISABLE_AUTH="true", GATEWAY_AS_OBSERVED="true"):
        offered = world.offered()
        reds = {
            id
            for name in ("plans", "subscribe", "subscriptions", "invoices", "usage")
            for id in ids(gateway.offers(name, offered))
        }
        assert reds == {"gateway-lacks-usage"}
        answers = [world.gateway.read(each) for each in of_a_tenant(offered)]
        assert [each.status for each in answers] == [200, 500]
        assert ids(gateway.auth_is_on(*answers)) == {"gateway-auth-off"}
        bad = world.gateway.read(of_a_tenant(offered)[0], world.stack.gateway.issuer.forged())
        assert ids(gateway.token_is_refused("a forged token", bad)) == {"gateway-takes-bad-token"}
    with world.changed("brain-gateway", GATEWAY_AS_OBSERVED="true"):
        made = _through_gateway(world, other="growth")
        assert made.invoiced.failure.findings[0].id == "gateway-invoice-not-shown"
        assert made.changed.failure.findings[0].id == "gateway-two-subscriptions"
        assert made.own_plan.failure.findings[0].id == "gateway-sells-its-own-plan"
        assert "professional" in made.own_plan.failure.findings[0].problem


def test_a_second_container_with_lagos_name_is_told(world, seeded):
    with _beside(world, "lago-api", "sleep", "120"):
        found = gateway_inside.finds_lago(world.view(), world.stack.network("gateway"))
    assert "lago-name-shared" in ids(found)
