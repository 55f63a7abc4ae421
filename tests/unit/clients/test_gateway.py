"""The gateway's client: what its OpenAPI document says it can do, and the tokens it takes."""

from __future__ import annotations

import json

import httpx
import pytest
import respx

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.clients.gateway import Gateway, Operation, operations, required, told
from lago_acceptance.clients.token_issuer import NAME, Issuer
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import Routes
from lago_acceptance.core.verdicts import Unknown


@pytest.mark.parametrize("status", [401, 403, 404])
@respx.mock
def test_a_gateway_that_hides_its_description_is_unknown(status, connection):
    respx.route().mock(return_value=httpx.Response(status, json={"detail": "Not Found"}))
    with pytest.raises(Unknown, match="openapi.json"):
        Gateway(connection).openapi()


def _openapi(paths: dict, **schemas: dict) -> dict:
    return {"paths": paths, "components": {"schemas": schemas}}


def test_the_plans_spelling_and_the_running_one_are_one_capability():
    query = [{"name": "plan_slug", "in": "query"}]
    running = operations(
        _openapi(
            {
                "/api/billing/subscription": {"get": {}},
                "/api/billing/subscribe": {"post": {"parameters": query}},
                "/api/billing/plans": {"post": {}},
            }
        )
    )
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wanted"}}}}
    planned = operations(
        _openapi(
            {
                "/api/billing/subscriptions": {"get": {}},
                "/api/billing/subscribe": {"post": {"requestBody": body}},
            },
            Wanted={"properties": {"plan_code": {}, "external_customer_id": {}}},
        )
    )
    assert running["subscriptions"].path == "/api/billing/subscription"
    assert planned["subscriptions"].path == "/api/billing/subscriptions"
    assert running["subscribe"].query == ("plan_slug",)
    assert planned["subscribe"].body == ("plan_code", "external_customer_id")
    behind = {
        **_openapi({"/billing/plans": {"get": {}}}),
        "servers": [{"url": "https://x.example.test/api/"}],
    }
    assert operations(behind)["plans"].path == "/api/billing/plans"
    slashed = operations(_openapi({"/api/billing/plans/": {"get": {}}}))
    assert slashed["plans"].path == "/api/billing/plans/"
    assert "plans" not in running
    assert "usage" not in running


def test_descriptions_as_fastapi_writes_them_are_followed():
    """Optional and combined bodies, parameters of the path and by reference; a reference to nothing is no field."""
    optional = {"anyOf": [{"$ref": "#/components/schemas/Wanted"}, {"type": "null"}]}
    wanted = {"allOf": [{"properties": {"plan_slug": {}}}, {"properties": {"customer": {}}}]}
    document = _openapi(
        {
            "/api/billing/subscribe": {
                "parameters": [{"name": "tenant", "in": "query"}, {"name": "x-request-id", "in": "header"}],
                "post": {
                    "parameters": [{"$ref": "#/components/parameters/Plan"}],
                    "security": [{"HTTPBearer": []}],
                    "requestBody": {"content": {"application/json": {"schema": optional}}},
                },
            }
        },
        Wanted=wanted,
        Loop={"$ref": "#/components/schemas/Loop"},
    )
    document["components"]["parameters"] = {"Plan": {"name": "plan_slug", "in": "query"}}
    subscribe = operations(document)["subscribe"]
    assert subscribe.query == ("tenant", "plan_slug")
    assert subscribe.body == ("plan_slug", "customer")
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loop"}}}}
    looping = _openapi(
        {"/api/billing/subscribe": {"post": {"requestBody": body}}},
        Loop={"$ref": "#/components/schemas/Loop"},
    )
    assert operations(looping)["subscribe"].body == ()


@respx.mock
def test_subscribe_takes_its_plan_as_the_gateway_says(connection):
    route = respx.route().mock(return_value=httpx.Response(200, json={"id": "x"}))
    gateway, token = Gateway(connection), Secret("a-token-of-this-test")
    gateway.subscribe(
        Operation("POST", "/api/billing/subscribe", query=("plan_slug",)), "starter", "tenant", token
    )
    gateway.subscribe(
        Operation("POST", "/api/billing/subscribe", body=("plan_code", "customer_id")),
        "starter",
        "tenant",
        token,
    )
    assert route.calls[0].request.url.params["plan_slug"] == "starter"
    assert route.calls[0].request.content == b""
    assert route.calls[1].request.content == b'{"plan_code":"starter","customer_id":"tenant"}'


@respx.mock
def test_a_route_gets_the_parameters_it_takes_and_201_is_accepted(connection):
    route = respx.route().mock(return_value=httpx.Response(201, json={"data": [{"id": "x"}]}))
    usage = Operation("GET", "/api/billing/usage", query=("external_subscription_id", "page"))
    answer = Gateway(connection).read(usage, tenant="t", subscription="s")
    assert dict(route.calls[0].request.url.params) == {"external_subscription_id": "s"}
    assert Gateway(connection).plans(Operation("GET", "/api/billing/plans")) == [{"id": "x"}]
    assert answer.taken() == {"data": [{"id": "x"}]}


def test_tokens_are_good_forged_or_expired(tmp_path):
    import jwt

    issuer = Issuer("11111111-1111-4111-8111-111111111111")
    issuer.publish(tmp_path)
    key = jwt.PyJWK(json.loads((tmp_path / "jwks.json").read_text())["keys"][0]).key

    def claims(token: Secret) -> dict:
        return jwt.decode(token.reveal(), key, algorithms=["RS256"], issuer=NAME)

    assert claims(issuer.token())["tenant_id"] == issuer.tenant
    with pytest.raises(jwt.InvalidSignatureError):
        claims(issuer.forged())
    with pytest.raises(jwt.ExpiredSignatureError):
        claims(issuer.token(lifetime=-30))
    assert "PRIVATE" not in (tmp_path / "jwks.json").read_text()
    assert '"d"' not in (tmp_path / "jwks.json").read_text()


# --- routes that the settings name ---

OWN = Routes(
    plans="GET /v1/offers kind=plan",
    subscribe="POST /v1/{tenant}/buy code={plan} customer={tenant} source=api",
    subscriptions="GET /v1/bought customer={tenant}",
)


@respx.mock
def test_what_the_settings_name_is_sent_as_they_say(connection):
    asked = respx.route().mock(return_value=httpx.Response(200, json=[]))
    there, gateway = told(OWN), Gateway(connection)
    gateway.subscribe(required(there, "subscribe"), "gold", "a/b", Secret("token-1"))
    sent = asked.calls.last.request
    assert (sent.method, sent.url.raw_path) == ("POST", b"/v1/a%2Fb/buy")
    assert json.loads(sent.content) == {"code": "gold", "customer": "a/b", "source": "api"}
    gateway.read(required(there, "subscriptions"), tenant="me", customer="me", subscription="s")
    assert asked.calls.last.request.url.raw_path == b"/v1/bought?customer=me"
    gateway.read(required(there, "subscriptions"))
    assert asked.calls.last.request.url.raw_path == b"/v1/bought?customer=nobody"
    queried = told(Routes(subscribe="POST /buy?code={plan}"))
    gateway.subscribe(required(queried, "subscribe"), "g&o", "me", None)
    assert (asked.calls.last.request.url.raw_path, asked.calls.last.request.content) == (
        b"/buy?code=g%26o",
        b"",
    )
    gateway.plans(required(there, "plans"))
    assert asked.calls.last.request.url.raw_path == b"/v1/offers?kind=plan"


def test_what_the_settings_do_not_name_is_unknown_and_no_defect():
    there = told(OWN)
    with pytest.raises(Unknown, match="names no route for invoices"):
        required(there, "invoices")
    with pytest.raises(Unknown, match="names no route for usage"):
        list(gateway_checks.offers("usage", there))
    assert list(gateway_checks.offers("plans", there)) == []
    assert [each.id for each in gateway_checks.offers("usage", {})] == ["gateway-lacks-usage"]
