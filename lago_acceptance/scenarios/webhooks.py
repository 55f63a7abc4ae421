"""The billing cycle's webhooks: delivered, and signed with the key that the API serves (docs/lago-facts.md, section 3.9)."""

from __future__ import annotations

from lago_acceptance.clients.webhook_receiver import Delivery, WebhookReceiver
from lago_acceptance.core import registry
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios.context import Context, red

STARTED = ("customer.created", "subscription.started", "invoice.created")


@registry.check(
    phase=5,
    errors={
        "webhook-not-delivered": "Webhooks are delivered.",
        "webhook-signature": "Webhooks are signed with the key that the API serves.",
    },
)
def delivered(
    context: Context, receiver: WebhookReceiver | None, path: str, types: tuple[str, ...] = STARTED
) -> list[Delivery]:
    """One webhook of each type arrives at a path of the receiver, signed with the key that the API serves."""
    if not receiver:
        raise Unknown(
            "Lago can't reach a receiver of webhooks from here",
            fix="run against a stack with a gateway (--target stack): its receiver is started beside it",
        )
    context.preconditions.need(WORKER, "webhooks, which the worker delivers")
    found: dict[str, Delivery] = {}

    def all_there() -> bool:
        found.update({each.type: each for each in receiver.deliveries() if each.path == path})
        return found.keys() >= set(types)

    seconds = context.timeouts.webhooks
    if not until(all_there, seconds, what="webhooks"):
        missing = ", ".join(sorted(set(types) - found.keys()))
        red(
            "webhook-not-delivered",
            WORKER,
            f"no {missing} was delivered within {seconds:.0f} s to {receiver.inside}",
            "receivers, the gateway among them, miss what happens in Lago",
            "check that the worker reads the queue webhook and can reach the receiver",
        )
    key = context.lago.public_key()
    for each in found.values():
        if trouble := each.trouble(key):
            red(
                "webhook-signature",
                WORKER,
                f"the webhook {each.type} {trouble}",
                "receivers that verify signatures reject every webhook",
                "give API and worker the same RSA key: mount the same PEM in both",
            )
    return list(found.values())
