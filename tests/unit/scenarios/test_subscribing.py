"""The catalogue in use, on Lagos that do it right and wrong."""

from __future__ import annotations

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.plans.catalogue import Catalogue, Plan
from lago_acceptance.scenarios import cleanup, subscribing
from lago_acceptance.scenarios.cleanup import Owner

PERMIT = Permit("--seed")
CATALOGUE = Catalogue(
    (
        Plan("free", "Free", "monthly", 0, "USD", True),
        Plan("starter", "Starter", "monthly", 4900, "USD", True),
    )
)
OWNER = Owner("20260101-000000-abcdef", "here", "1-1")


class Lago:
    """A Lago that keeps plans and takes subscriptions. ``status`` is what they get, ``forgets`` loses plans."""

    def __init__(self, status: str = "active", forgets: bool = False, keeps: bool = False):
        self.status, self.forgets, self.keeps = status, forgets, keeps
        self.plans: dict[str, dict] = {}
        self.customers: set[str] = set()
        self.looked = 0

    def all(self, collection: str) -> list[dict]:
        self.looked += 1
        # What other people's subscriptions change.
        return (
            [{**plan, "active_subscriptions_count": self.looked} for plan in self.plans.values()]
            if collection == "plans"
            else []
        )

    def create(self, collection: str, kind: str, values: dict) -> dict:
        if collection == "plans" and not self.forgets:
            self.plans[values["code"]] = {**values, "lago_id": values["code"]}
        if collection == "customers":
            self.customers.add(values["external_id"])
        return {**values, "lago_id": "1", "status": self.status}

    def delete(self, path: str) -> None:
        if not self.keeps:
            self.customers.discard(path.removeprefix("customers/"))

    def find(self, path: str, kind: str) -> dict | None:
        return {} if path.removeprefix("customers/") in self.customers else None


@pytest.mark.parametrize("forgets, expected", [(False, []), (True, ["seeding-not-idempotent"])])
def test_a_second_seeding_must_change_nothing(forgets, expected):
    lago = Lago(forgets=forgets)
    subscribing.seed(lago, CATALOGUE, PERMIT)
    found = list(subscribing.seeding_again_changes_nothing(lago, CATALOGUE, PERMIT))
    assert [each.id for each in found] == expected
    assert all("free, starter" in each.problem for each in found)


@pytest.mark.parametrize("status, count", [("active", 0), ("pending", 2)])
def test_every_plan_must_give_an_active_subscription(status, count):
    lago = Lago(status)
    found = subscribing.each_plan_can_be_subscribed_to(lago, CATALOGUE, OWNER, PERMIT)
    assert [each.id for each in found] == ["plan-not-subscribable"] * count
    assert lago.customers == set()


def test_a_customer_that_stays_is_red(monkeypatch):
    monkeypatch.setattr(cleanup, "GONE_SECONDS", 0.1)
    found = subscribing.each_plan_can_be_subscribed_to(Lago(keeps=True), CATALOGUE, OWNER, PERMIT)
    assert len(found) == 2 and all("could not be removed" in each.problem for each in found)


def test_what_earlier_runs_left_is_red_by_thing():
    assert list(cleanup.nothing_is_left([])) == []
    (found,) = cleanup.nothing_is_left(["plan lago-acceptance-x"])
    assert found.id == "earlier-run-left" and "lago-acceptance-x" in found.problem


def test_removal_ends_and_tells_what_it_did_not_get_to(monkeypatch):
    monkeypatch.setattr(cleanup, "REMOVE_SECONDS", -1)
    monkeypatch.setattr(cleanup, "GONE_SECONDS", 0.1)
    things = [cleanup.OwnedResource("customers", f"customer-{number}", OWNER) for number in range(3)]
    assert cleanup.remove(Lago(), things, PERMIT) == [f"customer customer-{number}" for number in range(3)]
