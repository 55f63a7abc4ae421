"""Every step that reads an answer, on good answers in which one thing is odd: a finding or none, never an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_acceptance.checks import gateway, gateway_inside, gateway_plans, login, plans
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.gateway import Gateway, Operation, operations
from lago_acceptance.clients.graphql import GraphQL, LoginRefused, Session
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Red
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideAnswer, InsideView
from lago_acceptance.plans.catalogue import Catalogue, Metric, Plan
from lago_acceptance.plans.seeding import seed
from lago_acceptance.scenarios import cleanup, dedicated_organization, invoices, usage
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.context import Context, Names, Timeouts
from lago_acceptance.scenarios.gateway_purchase import GatewayPurchase
from lago_acceptance.scenarios.preconditions import Preconditions
from tests.support.mutated import mutated

BASE = "https://lago.example.test"
KEY, PERMIT = Secret("a-key-of-this-test"), Permit("--seed")
OWNER = Owner("20260101-000000-abcdef", "elsewhere", "1-1")
NAMES = Names(OWNER.run)
NOW = Timeouts(invoice=0, usage=0, file=0, webhooks=0, last_invoice=0)
METRIC = Metric("requests", "Requests", "sum_agg", "count")
CATALOGUE = Catalogue((Plan("starter", "Starter", "monthly", 4900, "USD", True),), (METRIC,))

CHARGE = {
    "lago_id": "c",
    "billable_metric_code": "requests",
    "charge_model": "package",
    "properties": {"amount": "5"},
}
PLAN = {**CATALOGUE.plans[0].as_lago(), "lago_id": "p", "charges": [CHARGE]}
MADE = {**PLAN, "code": NAMES.plan, "description": OWNER.mark}
HELD_METRIC = {**METRIC.as_lago(), "lago_id": "m", "description": OWNER.mark}
CUSTOMER = {"external_id": NAMES.customer, "legal_name": OWNER.mark}
SUBSCRIPTION = {"lago_id": "s", "external_id": "sub", "plan_code": "starter", "status": "active"}
INVOICE = {
    "lago_id": "i",
    "status": "finalized",
    "currency": "USD",
    "fees_amount_cents": 4900,
    "total_amount_cents": 4900,
    "file_url": f"{BASE}/i.pdf",
}
USED = {"units": "3.0", "amount_cents": 0, "billable_metric": {"code": "requests"}}
HOOK = {"lago_id": "w", "webhook_url": OWNER.hook("http://here.test")}
META = {"next_page": None, "total_count": 1}
REFUSED = {"message": "No", "extensions": {"code": "signup_disabled", "details": {"base": ["x"]}}}
# What a Lago and a gateway that do everything right answer, by the last part of a path.
ANSWERS: dict[str, Any] = {
    "plans": {"plans": [PLAN, MADE], "plan": PLAN, "meta": META},
    "billable_metrics": {"billable_metrics": [HELD_METRIC], "billable_metric": HELD_METRIC, "meta": META},
    "customers": {"customers": [CUSTOMER], "customer": CUSTOMER, "meta": META},
    "webhook_endpoints": {"webhook_endpoints": [HOOK], "meta": META},
    "subscriptions": {"subscriptions": [SUBSCRIPTION], "subscription": SUBSCRIPTION, "meta": META},
    "invoices": {"invoices": [INVOICE], "meta": META},
    "i": {"invoice": INVOICE},
    "current_usage": {"customer_usage": {"charges_usage": [USED]}},
    "organizations": {"organization": {"lago_id": "o", "name": dedicated_organization.NAME}},
    "graphql": {
        "data": {
            "loginUser": {"token": "t", "user": {"organizations": [{"id": "o"}]}},
            "organization": {"apiKey": "the-key-itself"},
        },
    },
    "refusing": {"data": {"registerUser": None}, "errors": [REFUSED]},
    "offered": {"data": [{"id": "p", "slug": "starter", "amount": 49.0, "currency": "USD"}]},
    "subscribe": {"subscription": {"id": "sub", "status": "active", "plan": {"code": "starter"}}},
    "seen": {"data": [{"id": "i", "amount": 49.0, "plan_code": "starter"}]},
    "health": {"status": "healthy", "version": "v1"},
    "openapi.json": {
        "paths": {
            "/api/billing/plans": {"get": {"parameters": [{"name": "page", "in": "query"}]}},
            "/api/billing/subscribe": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/x"}}}}
                }
            },
        },
        "components": {"x": {"properties": {"plan": {}}, "allOf": [{"properties": {"tenant": {}}}]}},
        "servers": [{"url": "https://x.test/api"}],
    },
}


def inside(name: str, document: Any) -> InsideView:
    answers = {
        "gateway-health": InsideAnswer(200, '{"version": "v1"}'),
        name: InsideAnswer(200, json.dumps(document)),
    }
    texts = {"api-has-key": "yes", "gateway-has-key": "yes", "gateway-addresses": "10.0.0.1"}
    return InsideView(texts, answers, None, None)


def context(made: Connection) -> Context:
    return Context(Lago(made, KEY), NAMES, Preconditions(), NOW)


def purchase(made: Connection) -> None:
    """A whole purchase; what was found is in its attempts."""
    GatewayPurchase(
        Gateway(made), Lago(made, KEY), KEY, OWNER, PERMIT, "starter", Preconditions({"worker": "x"})
    ).run(
        lambda name: Operation(
            "POST" if name == "subscribe" else "GET", f"/{'subscribe' if name == 'subscribe' else 'seen'}"
        )
    )


# Steps by the answer that is odd: each is one that reads it.
STEPS: list[tuple[str, Callable[[Connection], object]]] = [
    ("plans", lambda made: seed(Lago(made, KEY), CATALOGUE, PERMIT, reseed=True)),
    ("billable_metrics", lambda made: seed(Lago(made, KEY), CATALOGUE, PERMIT, reseed=True)),
    *(
        (name, lambda made: [each.owner.gone for each in cleanup.owned(Lago(made, KEY))])
        for name in ("plans", "billable_metrics", "customers", "webhook_endpoints")
    ),
    ("subscriptions", lambda made: Lago(made, KEY).create("subscriptions", "subscription", {})["status"]),
    ("subscriptions", purchase),
    ("subscribe", purchase),
    ("seen", purchase),
    ("current_usage", purchase),
    ("invoices", lambda made: invoices.first(context(made), 4900)),
    ("invoices", lambda made: invoices.last(context(made), {"lago_id": "other"}, 4900)),
    ("i", lambda made: invoices.file(context(made), {"lago_id": "i"})),
    ("current_usage", lambda made: usage._until(context(made), 3)),
    ("organizations", lambda made: dedicated_organization.must_be_own(Lago(made, KEY))),
    ("graphql", lambda made: GraphQL(made).api_key(GraphQL(made).login("a@example.test", KEY))),
    ("graphql", lambda made: GraphQL(made).api_key(Session(KEY, "o"))),
    ("health", lambda made: list(gateway.is_healthy(Gateway(made).health(), inside("none", {})))),
    ("openapi.json", lambda made: operations(Gateway(made).openapi())),
    (
        "offered",
        lambda made: list(
            gateway_plans.plans_are_lagos(
                Gateway(made).plans(Operation("GET", "/offered")), [PLAN], inside("none", {})
            )
        ),
    ),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[Connection]:
    made = Connection("api", BASE)
    yield made
    made.close()


@pytest.mark.parametrize("number", range(len(STEPS)), ids=lambda number: f"{number}-{STEPS[number][0]}")
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_odd_answer_breaks_a_step(number, shared, data):
    odd, step = STEPS[number]
    document = data.draw(mutated(ANSWERS[odd]))

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json=document if name == odd else ANSWERS.get(name, {}))

    with respx.mock, suppress(Red, Blocked, Unknown, LoginRefused):
        respx.route().mock(side_effect=answer)
        step(shared)


@settings(max_examples=40, deadline=None)
@given(document=mutated(ANSWERS["refusing"]))
def test_no_odd_refusal_breaks_signing_up(shared, document):
    with respx.mock, suppress(Red):
        respx.route().mock(return_value=httpx.Response(200, json=document))
        codes = GraphQL(shared).sign_up("a@example.test", KEY, "o")
        list(login.sign_up_is_refused("a@example.test", codes))


INSIDE: list[tuple[str, Any, Callable[[InsideView], object]]] = [
    ("api-plans", ANSWERS["plans"], lambda view: _judged(view)),
    (
        "api-metrics",
        ANSWERS["billable_metrics"],
        lambda view: list(plans.metrics_are_as_the_catalogue_says(CATALOGUE, view, Attempt(None))),
    ),
    (
        "gateway-organization",
        ANSWERS["organizations"],
        lambda view: list(gateway_inside.key_is_accepted(view)),
    ),
    (
        "gateway-stranger",
        ANSWERS["organizations"],
        lambda view: list(gateway_inside.invalid_key_is_refused(view)),
    ),
    ("gateway-health", ANSWERS["health"], lambda view: list(gateway_inside.finds_lago(view, "net"))),
]


def _judged(view: InsideView) -> None:
    held = plans.held_plans(view, Attempt(None))
    list(plans.each_is_as_the_catalogue_says(CATALOGUE, held))
    list(plans.others_are_reported(CATALOGUE, held))
    list(gateway_plans.plans_are_lagos(ANSWERS["offered"]["data"], list(held.values()), view))


@pytest.mark.parametrize("number", range(len(INSIDE)), ids=lambda number: INSIDE[number][0])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_odd_answer_inside_a_container_breaks_a_check(number, data):
    name, good, judge = INSIDE[number]
    with suppress(Red, Blocked, Unknown):
        judge(inside(name, data.draw(mutated(good))))
