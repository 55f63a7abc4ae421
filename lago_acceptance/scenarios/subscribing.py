"""The catalogue in use: seeding it again changes nothing, and every plan can be subscribed to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API
from lago_acceptance.core.run import PREFIX
from lago_acceptance.plans.catalogue import Catalogue
from lago_acceptance.plans.seeding import seed
from lago_acceptance.scenarios import cleanup, customers
from lago_acceptance.scenarios.cleanup import OwnedResource, Owner


@registry.check(phase=6, errors={"seeding-not-idempotent": "Seeding the catalogue again changes nothing."})
def seeding_again_changes_nothing(lago: Lago, catalogue: Catalogue, permit: Permit) -> Iterator[Finding]:
    """A second seeding creates nothing and changes nothing."""
    before = _plans(lago)
    again = seed(lago, catalogue, permit)
    if again.created or again.changed or before != _plans(lago):
        yield Finding(
            id="seeding-not-idempotent",
            role=API,
            problem=f"a second seeding created {', '.join(again.created) or 'nothing'} and changed "
            f"{', '.join(again.changed) or 'something in a plan'}",
            impact="every deploy changes the plans that customers are billed by",
            fix="compare GET /plans before and after seeding",
        )


def _plans(lago: Lago) -> list[Document]:
    """Lago's plans, without the counters that other people's subscriptions change."""
    return [
        {name: value for name, value in plan.items() if not name.endswith("_count")}
        for plan in sorted(lago.all("plans"), key=lambda plan: plan["code"])
    ]


def each_plan_can_be_subscribed_to(
    lago: Lago, catalogue: Catalogue, owner: Owner, permit: Permit
) -> list[Finding]:
    """A customer can subscribe to every plan of the catalogue, and is removed again."""
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda plan: list(_subscribing(lago, plan.code, owner, permit)), catalogue.plans)
        return [finding for findings in found for finding in findings]


@registry.check(phase=6, errors={"plan-not-subscribable": "Every plan can be subscribed to."})
def _subscribing(lago: Lago, code: str, owner: Owner, permit: Permit) -> Iterator[Finding]:
    """A customer can subscribe to every plan of the catalogue, and is removed again."""
    # Lago takes a dot in a customer's id for the beginning of a format.
    customer = f"{PREFIX}{owner.run}-on-{code.replace('.', '-')}"
    customers.create(lago, owner, customer)
    try:
        made = customers.subscribe(lago, customer, code, billing_time="anniversary")
    finally:
        left = cleanup.remove(lago, [OwnedResource("customers", customer, owner)], permit)
    if made["status"] != "active" or made["plan_code"] != code or left:
        yield Finding(
            id="plan-not-subscribable",
            role=API,
            problem=f"subscribing to {code} gave {made['status']} on {made['plan_code']}"
            f"{f', and the customer could not be removed: {left}' if left else ''}",
            impact="nobody can buy this plan",
            fix="read the API's log around POST /subscriptions",
        )
