"""The billing cycle's usage: sent, seen to grow, and priced beyond the allowance (docs/lago-facts.md, section 3.8)."""

from __future__ import annotations

import time
from decimal import Decimal

from lago_acceptance.clients.lago import Document
from lago_acceptance.core import registry
from lago_acceptance.core.roles import API, WORKER
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios.context import Context, red


@registry.check(
    phase=5,
    errors={
        "usage-not-zero": "A new subscription has no usage yet.",
        "usage-does-not-grow": "Usage grows when events are sent.",
        "usage-without-charge": "Usage of a plan with a charge lists the charge.",
        "allowance-not-free": "Included units cost nothing.",
    },
)
def grown(context: Context, included: int) -> Document:
    """Usage grows when events are sent, which proves worker and shared cache; included units cost nothing."""
    context.preconditions.need(WORKER, "usage, which grows by the worker")
    if context.preconditions.stale_usage:
        raise Blocked(context.preconditions.stale_usage, "usage, which can't grow")
    # Fills the cache: without it the number would be computed on demand and prove PostgreSQL alone.
    primed = _now(context)
    if Decimal(primed["units"]):
        red(
            "usage-not-zero",
            API,
            f"a subscription that has just begun has used {primed['units']} units",
            "customers pay for what they did not use",
            "find out what else sends events with this metric's code",
        )
    _send(context, included)
    found = _until(context, included)
    if found["amount_cents"] != 0:
        red(
            "allowance-not-free",
            API,
            f"{included} of {included} included units cost {found['amount_cents']} cents",
            "customers pay for what their plan includes",
            "check the charge's properties in Lago's answer to GET /plans/<code>",
        )
    return found


@registry.check(phase=5, errors={"usage-amount": "Usage beyond the allowance has the plan's price."})
def charged(context: Context, included: int, amount_cents: int) -> Document:
    """One unit beyond the allowance costs ``amount_cents``."""
    _send(context, 1)
    found = _until(context, included + 1)
    if found["amount_cents"] != amount_cents:
        red(
            "usage-amount",
            API,
            f"one unit beyond the allowance costs {found['amount_cents']} cents instead of {amount_cents}",
            "usage is billed at the wrong price",
            "check the charge's properties in Lago's answer to GET /plans/<code>",
        )
    return found


def _send(context: Context, units: int) -> None:
    # Without a timestamp: one of whole seconds may be before the subscription's start.
    context.lago.create(
        "events",
        "event",
        {
            "transaction_id": f"{context.names.base}-{time.time_ns()}",
            "code": context.names.metric,
            "external_subscription_id": context.names.subscription,
            "properties": {"count": units},
        },
    )


def _now(context: Context) -> Document:
    usage = context.lago.usage(context.names.customer, context.names.subscription)
    if not usage["charges_usage"]:
        red(
            "usage-without-charge",
            API,
            "current_usage of a plan with a charge lists no charge",
            "usage is not billed",
            "check that GET /plans/<code> shows the charge",
        )
    first: Document = usage["charges_usage"][0]
    return first


def _until(context: Context, wanted: int) -> Document:
    found: Document = {}

    def there() -> bool:
        nonlocal found
        found = _now(context)
        return Decimal(found["units"]) == wanted

    seconds = context.timeouts.usage
    if not until(there, seconds, what="usage"):
        red(
            "usage-does-not-grow",
            WORKER,
            f"{seconds:.0f} s after {wanted} units were sent, current_usage says {found['units']}",
            "usage is not billed, or shown too late",
            "the worker must run and share the API's cache: the same LAGO_REDIS_CACHE_URL on both, and no "
            "SIDEKIQ_EVENTS without a worker for the queue events",
        )
    return found
