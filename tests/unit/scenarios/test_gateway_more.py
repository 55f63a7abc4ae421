"""A change of plan, and a plan that only the gateway's own table has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.gateway import Operation
from lago_acceptance.core.findings import Red
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.scenarios import gateway_more
from lago_acceptance.scenarios.gateway_more import MorePurchases

ROUTE = Operation("POST", "/api/billing/subscribe", ("plan_slug",))
OLD = {"external_id": "sub_1", "lago_id": "l-1", "plan_code": "starter", "status": "active"}
NEW = {"external_id": "sub_2", "lago_id": "l-2", "plan_code": "growth", "status": "active"}
BOUGHT = {"id": "a-b-c", "plan_slug": "professional", "status": "active"}


def _more(status: int, body, held, plans=("starter", "growth")) -> MorePurchases:
    bought: list[str] = []

    def subscribe(operation, plan, tenant, token):
        bought.append(plan)
        return ApiAnswer(asked="POST /api/billing/subscribe", role="gateway", status=status, body=body)

    lists = {"plans": [{"code": code} for code in plans], "subscriptions": held}
    lago = SimpleNamespace(all=lambda name, **wanted: lists[name])
    made = MorePurchases(SimpleNamespace(subscribe=subscribe), lago, Secret("a-token-of-this-test"), "tenant")
    made.bought = bought
    return made


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(gateway_more, "_SECOND", 0.01)


def test_a_change_that_leaves_two_subscriptions_is_red():
    with pytest.raises(Red, match="gateway-two-subscriptions") as raised:
        _more(200, BOUGHT, [OLD, NEW]).plan_is_changed(ROUTE, "growth")
    assert "starter (sub_1), growth (sub_2)" in raised.value.findings[0].problem
    _more(200, BOUGHT, [{**OLD, "status": "terminated"}, NEW]).plan_is_changed(ROUTE, "growth")
    _more(200, BOUGHT, [OLD, {**NEW, "status": "pending"}]).plan_is_changed(ROUTE, "growth")


def test_a_change_that_is_refused_is_red_and_without_a_second_plan_it_is_unknown():
    with pytest.raises(Red, match="gateway-refused"):
        _more(409, {"detail": "no"}, [OLD]).plan_is_changed(ROUTE, "growth")
    with pytest.raises(Unknown, match="no second plan"):
        _more(200, BOUGHT, [OLD]).plan_is_changed(ROUTE, "")


def test_a_plan_that_only_the_gateway_has_is_not_for_sale():
    made = _more(200, BOUGHT, [OLD])
    with pytest.raises(Red, match="gateway-sells-its-own-plan") as raised:
        made.own_plan_is_refused(ROUTE)
    assert made.bought == ["professional"]
    assert "Lago has no plan professional" in raised.value.findings[0].problem
    _more(400, {"detail": "Plan not found"}, [OLD]).own_plan_is_refused(ROUTE)
    # What the tenant has already is no sale.
    _more(200, {"id": "sub_1", "status": "active"}, [OLD]).own_plan_is_refused(ROUTE)


def test_a_plan_that_lago_has_too_is_not_tried():
    made = _more(200, BOUGHT, [OLD], plans=("professional", "starter"))
    with pytest.raises(Red):
        made.own_plan_is_refused(ROUTE)
    assert made.bought == ["business"]
    with pytest.raises(Unknown, match="Lago has every plan"):
        _more(200, BOUGHT, [OLD], plans=gateway_more.OWN_PLANS).own_plan_is_refused(ROUTE)
    with pytest.raises(Red, match="gateway-fails"):
        _more(500, {"detail": "no such method"}, [OLD]).own_plan_is_refused(ROUTE)
