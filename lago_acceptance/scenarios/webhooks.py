"""A round's webhooks: delivered by the worker, signed by the key that the API serves (docs/lago-facts.md,
section 3.9).
"""

from __future__ import annotations

from lago_acceptance.clients.webhook_receiver import Box, Delivery
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios.context import Context, red

STARTED = ("customer.created", "subscription.started", "invoice.created")


def delivered(
    context: Context, box: Box | None, path: str, types: tuple[str, ...] = STARTED
) -> list[Delivery]:
    """One delivery of each type to a path of the box, all signed by the served key."""
    if not box:
        raise Unknown("Lago has no way from here to a receiver of webhooks")
    context.preconditions.need(WORKER, "webhooks, which the worker delivers")
    found: dict[str, Delivery] = {}

    def all_there() -> bool:
        found.update({each.type: each for each in box.deliveries() if each.path == path})
        return found.keys() >= set(types)

    seconds = context.timeouts.hooks
    if not until(all_there, seconds):
        missing = ", ".join(sorted(set(types) - found.keys()))
        red(
            "webhook-not-delivered",
            WORKER,
            f"no {missing} was delivered within {seconds:.0f} s to {box.inside}",
            "whoever waits for Lago's word, the gateway for one, never hears of it",
            "see whether the worker reads the queue webhook and can reach the receiver",
        )
    key = context.lago.public_key()
    for each in found.values():
        if trouble := each.trouble(key):
            red(
                "webhook-signature",
                WORKER,
                f"the webhook {each.type} {trouble}",
                "receivers that check signatures throw every webhook away",
                "give API and worker the same RSA key; mount the same PEM in both",
            )
    return list(found.values())
