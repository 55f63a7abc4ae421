"""The clock's part of billing: a pending subscription becomes active on its day (docs/lago-facts.md, section 3.11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NoReturn

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core import registry
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import CLOCK, WORKER
from lago_acceptance.core.run import PREFIX
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios import cleanup, customers
from lago_acceptance.scenarios.cleanup import OwnedResource, Owner
from lago_acceptance.scenarios.context import red
from lago_acceptance.scenarios.preconditions import Preconditions

# The clock ticks every five minutes, and the worker needs some time after that.
TICK_SECONDS = 420
AHEAD = timedelta(minutes=8)


@registry.check(
    phase=5,
    errors={
        "subscription-not-pending": "A subscription that begins later is pending.",
        "subscription-not-activated": "The clock activates a new subscription when its time comes.",
    },
)
def activation(lago: Lago, owner: Owner, permit: Permit, plan: str, preconditions: Preconditions) -> None:
    """The clock activates a subscription that begins later today, within seven minutes."""
    for role in (CLOCK, WORKER):
        preconditions.need(role, "activation, which needs clock and worker")
    begins = datetime.now(UTC) + AHEAD
    if begins.date() != datetime.now(UTC).date():
        raise Unknown(
            "it is too close to midnight (UTC) to subscribe for later today; run this again after midnight",
            why="it is too close to midnight (UTC)",
            fix="run again after midnight",
        )
    customer = f"{PREFIX}{owner.run}-clock"
    customers.create(lago, owner, customer)
    try:
        made = customers.subscribe(
            lago, customer, plan, subscription_at=begins.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        if made["status"] != "pending":
            _red("subscription-not-pending", f"a subscription that begins in {AHEAD} is {made['status']}")
        path = f"subscriptions/{customer}-subscription"
        if not until(
            lambda: lago.find(path, "subscription"), TICK_SECONDS, slowest=5, what="activation by the clock"
        ):
            _red(
                "subscription-not-activated",
                f"a subscription dated today is not active after {TICK_SECONDS:.0f} s",
            )
    finally:
        lago.delete(f"subscriptions/{customer}-subscription", status="pending")
        cleanup.remove(lago, [OwnedResource("customers", customer, owner)], permit)


def _red(id: str, problem: str) -> NoReturn:
    red(
        id,
        CLOCK,
        problem,
        "subscriptions that start later never start, and recurring invoices are never created",
        "check that the clock runs and enqueues into the worker's Redis, and read the worker's log",
    )
