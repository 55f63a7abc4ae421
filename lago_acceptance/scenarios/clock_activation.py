"""The clock's part of billing: a pending subscription becomes active by itself on its day
(docs/lago-facts.md, section 3.11).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NoReturn

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import CLOCK, WORKER
from lago_acceptance.core.run import PREFIX
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios import cleanup
from lago_acceptance.scenarios.cleanup import OwnedResource, Owner
from lago_acceptance.scenarios.context import Preconditions, red

# The clock ticks every five minutes, and the worker takes its time after that.
TICK_SECONDS = 420
AHEAD = timedelta(minutes=8)


def activation(lago: Lago, owner: Owner, permit: Permit, plan: str, preconditions: Preconditions) -> None:
    """Subscribe for later today and wait until it is active. Red where that doesn't happen within two ticks'
    time.
    """
    for role in (CLOCK, WORKER):
        preconditions.need(role, "activation, which clock and worker make")
    begins = datetime.now(UTC) + AHEAD
    if begins.date() != datetime.now(UTC).date():
        raise Unknown(
            "it is so close to midnight (UTC) that a subscription of today can't be made; run this later"
        )
    customer = f"{PREFIX}{owner.run}-clock"
    lago.create(
        "customers", "customer", {"external_id": customer, "name": customer, "legal_name": owner.mark}
    )
    try:
        made = lago.create(
            "subscriptions",
            "subscription",
            {
                "external_customer_id": customer,
                "external_id": f"{customer}-subscription",
                "plan_code": plan,
                "subscription_at": begins.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )
        if made["status"] != "pending":
            _red("subscription-not-pending", f"a subscription that begins in {AHEAD} is {made['status']}")
        path = f"subscriptions/{customer}-subscription"
        if not until(lambda: lago.find(path, "subscription"), TICK_SECONDS, slowest=5):
            _red(
                "subscription-not-activated",
                f"a subscription is not active {TICK_SECONDS:.0f} s after it was made for today",
            )
    finally:
        lago.delete(f"subscriptions/{customer}-subscription", status="pending")
        cleanup.remove(lago, [OwnedResource("customers", customer, owner)], permit)


def _red(id: str, problem: str) -> NoReturn:
    red(
        id,
        CLOCK,
        problem,
        "subscriptions that begin later never begin, and recurring invoices are never made",
        "see whether the clock runs, enqueues into the worker's Redis, and what the worker's log says",
    )
