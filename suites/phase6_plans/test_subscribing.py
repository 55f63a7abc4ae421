"""Phase 6: seeding again changes nothing, and every plan can be subscribed to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API
from lago_acceptance.plans.seeding import seed
from lago_acceptance.scenarios import cleanup

pytestmark = [pytest.mark.writes, pytest.mark.phase6]


def test_seeding_twice_changes_nothing(own_lago, catalogue, own_seeded, write_permit, judge):
    own_seeded.require("a second seeding")
    before = sorted(own_lago.all("plans"), key=lambda plan: plan["code"])
    again = seed(own_lago, catalogue, write_permit)
    after = sorted(own_lago.all("plans"), key=lambda plan: plan["code"])
    if again.created or again.changed or [_kept(plan) for plan in before] != [_kept(plan) for plan in after]:
        judge(
            [
                Finding(
                    id="seeding-not-idempotent",
                    role=API,
                    problem=f"a second seeding made {', '.join(again.created) or 'nothing'} and changed "
                    f"{', '.join(again.changed) or 'something of a plan'}",
                    impact="every deploy changes the plans that customers are billed by",
                    fix="look at what differs between GET /plans before and after",
                )
            ]
        )


def _kept(plan: dict) -> dict:
    """A plan without what other people's subscriptions change."""
    return {name: value for name, value in plan.items() if not name.endswith("_count")}


def test_every_plan_can_be_subscribed_to(own_lago, catalogue, own_seeded, owner, swept, write_permit):
    own_seeded.require("subscribing to its plans")

    def subscribe(code: str) -> None:
        # Lago takes a dot in a customer's id for the beginning of a format.
        customer = f"lago-acceptance-{owner.run}-on-{code.replace('.', '-')}"
        values = {"external_id": customer, "name": customer, "legal_name": owner.mark}
        own_lago.create("customers", "customer", values)
        try:
            made = own_lago.create(
                "subscriptions",
                "subscription",
                {
                    "external_customer_id": customer,
                    "external_id": f"{customer}-subscription",
                    "plan_code": code,
                    "billing_time": "anniversary",
                },
            )
        finally:
            left = cleanup.remove(
                own_lago, [cleanup.OwnedResource("customers", customer, owner)], write_permit
            )
        if made["status"] != "active" or made["plan_code"] != code or left:
            raise Red(
                Finding(
                    id="plan-not-subscribable",
                    role=API,
                    problem=f"subscribing to {code} gave {made['status']} on {made['plan_code']}"
                    f"{f', and it can not be removed: {left}' if left else ''}",
                    impact="nobody can buy this plan",
                    fix="read the API's log around POST /subscriptions",
                )
            )

    with ThreadPoolExecutor(3) as beside:
        list(beside.map(subscribe, [plan.code for plan in catalogue.plans]))
