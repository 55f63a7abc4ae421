"""What the gateway shows is held against Lago's own word, field by field."""

from __future__ import annotations

import pytest

from lago_acceptance import gateway_checks
from lago_acceptance.billing_view import BillingView, Inside
from lago_acceptance.clients.connection import Answer
from lago_acceptance.errors import Unknown
from lago_acceptance.findings import Red, Severity

LAGO = [
    {"lago_id": "1", "code": "free", "amount_cents": 0, "amount_currency": "USD"},
    {"lago_id": "2", "code": "starter", "amount_cents": 4900, "amount_currency": "USD"},
]
SHOWN = [
    {"id": "1", "slug": "free", "amount": 0.0, "currency": "USD"},
    {"id": "2", "slug": "starter", "amount": 49.0, "currency": "USD"},
]


def _view(**answers: Inside) -> BillingView:
    texts = {"gateway-url": "http://lago-api:3000", "gateway-addresses": "10.0.0.2"}
    return BillingView(
        texts, {name.replace("_", "-"): answer for name, answer in answers.items()}, None, None
    )


def _answer(status: int, body) -> Answer:
    return Answer(asked="GET /x", role="gateway", status=status, body=body)


def _ids(findings) -> list[str]:
    return [finding.id for finding in findings]


def test_lagos_own_plans_are_no_finding():
    assert _ids(gateway_checks.plans_are_lagos(SHOWN, LAGO, _view())) == []


@pytest.mark.parametrize("field, value", [("amount", 29.0), ("slug", "begin"), ("currency", "EUR")])
def test_a_field_that_differs_is_named(field, value):
    shown = [SHOWN[0], {**SHOWN[1], field: value}]
    found = list(gateway_checks.plans_are_lagos(shown, LAGO, _view()))
    assert _ids(found) == ["gateway-plans-differ"]
    assert field in found[0].wrong


def test_a_plan_too_many_or_too_few_is_named():
    stranger = {"id": "9", "slug": "trial", "amount": 0.0, "currency": "USD"}
    found = list(gateway_checks.plans_are_lagos([SHOWN[0], stranger], LAGO, _view()))
    assert ["trial" in found[0].wrong, "starter" in found[1].wrong] == [True, True]
    assert _ids(gateway_checks.plans_are_lagos([], LAGO, _view())) == ["gateway-plans-differ"]


def test_its_own_plans_are_told_with_lagos_reason():
    own = [{"id": "a-b-c", "slug": "starter", "amount": 29.0, "currency": "USD"}]
    view = _view(gateway_organization=Inside(401, '{"status":401}'))
    found = list(gateway_checks.plans_are_lagos(own, LAGO, view))
    assert _ids(found) == ["gateway-plans-are-its-own"]
    assert "401" in found[0].wrong


def test_a_key_of_another_organization_is_told():
    view = _view(
        gateway_organization=Inside(200, '{"organization":{"lago_id":"x","name":"Other"}}'),
        api_organization=Inside(200, '{"organization":{"lago_id":"y","name":"Mine"}}'),
    )
    assert _ids(gateway_checks.key_is_accepted(view)) == ["gateway-key-of-another-organization"]


def test_the_front_in_lagos_place_is_told():
    html = Inside(200, "<!DOCTYPE html><title>Lago - Cloud</title>")
    view = _view(gateway_health=html, gateway_organization=html, gateway_stranger=html)
    assert _ids(gateway_checks.finds_lago(view, "n")) == ["lago-not-reached-by-gateway"]
    assert _ids(gateway_checks.key_is_accepted(view)) == ["gateway-not-answered-by-lago"]
    assert _ids(gateway_checks.stranger_is_refused(view)) == ["lago-takes-any-key"]


def test_health_that_hides_a_dead_lago_is_a_warning():
    healthy = _answer(200, {"status": "healthy"})
    assert (
        _ids(gateway_checks.is_healthy(healthy, _view(gateway_health=Inside(200, '{"version":"v1.16.0"}'))))
        == []
    )
    found = list(gateway_checks.is_healthy(healthy, _view(gateway_health=Inside(0, "connection refused"))))
    assert [(each.id, each.severity) for each in found] == [("gateway-health-ignores-lago", Severity.WARNING)]
    assert _ids(gateway_checks.is_healthy(_answer(503, {"status": "unhealthy"}), _view())) == [
        "gateway-unhealthy"
    ]


def test_a_subscription_that_lago_calls_otherwise_is_told():
    held = [{"plan_code": "starter", "external_id": "sub_1", "status": "pending"}]
    answer = {"id": "sub_1", "status": "active"}
    assert _ids(gateway_checks.created_in_lago(answer, "starter", held)) == ["gateway-subscription-differs"]
    assert _ids(gateway_checks.created_in_lago(answer, "growth", held)) == ["gateway-subscription-is-its-own"]


def test_what_the_api_says_inside_its_container_is_judged_by_its_status():
    with pytest.raises(Red, match="api-key-refused"):
        _view(api_plans=Inside(401, '{"status":401}')).listed("api-plans", "plans")
    with pytest.raises(Red, match="api-refused"):
        _view(api_plans=Inside(200, "<html>")).listed("api-plans", "plans")
    with pytest.raises(Unknown):
        _view().listed("api-plans", "plans")
