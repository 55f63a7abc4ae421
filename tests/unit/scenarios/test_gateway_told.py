"""A purchase through a gateway whose routes the settings name: only what appears in Lago counts."""

from __future__ import annotations

import pytest

from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.gateway import required, told
from lago_acceptance.core.findings import Red
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import Routes
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.scenarios import cleanup, gateway_purchase
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.gateway_purchase import GatewayPurchase

OWNER = Owner("20260101-000000-abcdef", "here", "1-1")
THERE = told(Routes(subscribe="POST /v1/buy code={plan} customer={tenant}"))


class Shop:
    """A gateway, and the Lago behind it. ``bills``: whether it tells Lago, and after how many looks there."""

    def __init__(self, status: int, bills: int | None):
        self.status, self.bills = status, bills
        self.sold: list[str] = []

    def subscribe(self, operation, plan, tenant, token):
        self.sold.append(plan)
        return ApiAnswer(asked="POST /v1/buy", role="gateway", status=self.status, body={"ok": True})

    def create(self, *_):
        return {}

    def all(self, what, **_):
        if self.bills is None or not self.sold:
            return []
        self.bills -= 1
        return [
            {"plan_code": each, "external_id": "s-1", "status": "active"}
            for each in self.sold * (self.bills < 0)
        ]


def bought(monkeypatch, status: int, bills: int | None) -> GatewayPurchase:
    monkeypatch.setattr(cleanup, "remove", lambda *_: [])
    monkeypatch.setattr(gateway_purchase, "_QUEUED_SECONDS", 0.3)
    shop = Shop(status, bills)
    made = GatewayPurchase(shop, shop, Secret("token-1"), OWNER, Permit("test"), "gold", None)  # type: ignore[arg-type]
    return made.run(lambda name: required(THERE, name))


@pytest.mark.parametrize(("status", "bills"), [(200, 0), (202, 2), (204, 0)])
def test_a_subscription_that_appears_in_lago(status, bills, monkeypatch):
    made = bought(monkeypatch, status, bills)
    assert list(made.subscribed.value().judged()) == []
    for each in (made.seen, made.invoiced, made.used, made.changed, made.own_plan):
        assert isinstance(each.failure, Unknown) and "by its effect in Lago alone" in str(each.failure)
    assert made.removed.failure is None


def test_a_subscription_that_only_the_gateway_knows(monkeypatch):
    made = bought(monkeypatch, 200, None)
    (found,) = made.subscribed.value().judged()
    assert (
        found.id == "gateway-subscription-is-its-own"
        and "none of this customer to that plan" in found.problem
    )


def test_a_purchase_that_is_refused_is_red(monkeypatch):
    assert isinstance(bought(monkeypatch, 403, 0).subscribed.failure, Red)
