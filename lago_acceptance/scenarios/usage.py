"""A round's usage: primed, sent, seen to grow, and priced beyond the allowance
(docs/lago-facts.md, section 3.8).
"""

from __future__ import annotations

import time
from decimal import Decimal

from lago_acceptance.clients.lago import Document
from lago_acceptance.core.roles import API, WORKER
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios.context import Context, red


def grown(context: Context, included: int) -> Document:
    """Usage after as many units as are included: it has grown, which proves worker and shared cache, and
    costs nothing.
    """
    context.preconditions.need(WORKER, "usage, which the worker lets grow")
    if context.preconditions.stale_usage:
        raise Blocked(context.preconditions.stale_usage, "usage, which can't grow so")
    # Fills the cache: without it the number would be computed at once and prove PostgreSQL alone.
    primed = _now(context)
    if Decimal(primed["units"]):
        red(
            "usage-not-zero",
            API,
            f"a subscription that has just begun has used {primed['units']} units",
            "customers pay for what they did not use",
            "look for other senders of events with this metric's code",
        )
    _send(context, included)
    found = _until(context, included)
    if found["amount_cents"] != 0:
        red(
            "allowance-not-free",
            API,
            f"{included} of {included} included units cost {found['amount_cents']} cents",
            "customers pay for what their plan includes",
            "look at the charge's properties as Lago echoes them",
        )
    return found


def charged(context: Context, included: int, amount_cents: int) -> Document:
    """Usage after one unit more, which costs ``amount_cents``."""
    _send(context, 1)
    found = _until(context, included + 1)
    if found["amount_cents"] != amount_cents:
        red(
            "usage-amount",
            API,
            f"one unit beyond the allowance costs {found['amount_cents']} cents instead of {amount_cents}",
            "usage is billed wrongly",
            "look at the charge's properties as Lago echoes them",
        )
    return found


def _send(context: Context, units: int) -> None:
    # Without a timestamp: one of whole seconds can lie before the subscription's start.
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
            "current_usage of a plan with a charge lists none",
            "usage is not billed",
            "see whether GET /plans/<code> echoes the charge",
        )
    return usage["charges_usage"][0]


def _until(context: Context, wanted: int) -> Document:
    found: Document = {}

    def there() -> bool:
        nonlocal found
        found = _now(context)
        return Decimal(found["units"]) == wanted

    seconds = context.timeouts.usage
    if not until(there, seconds):
        red(
            "usage-does-not-grow",
            WORKER,
            f"{seconds:.0f} s after {wanted} units were sent, current_usage says {found['units']}",
            "what customers use is not billed, or shown too late",
            "the worker must run and share the API's cache: LAGO_REDIS_CACHE_URL the same on both, "
            "no SIDEKIQ_EVENTS without a worker for the queue events",
        )
    return found
