"""A plan that only this run knows: the gateway can list it only by asking Lago."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.gateway_effect import are_lagos
from lago_acceptance.checks.gateway_plans import plans_are_lagos
from lago_acceptance.clients.gateway import Gateway, Operation
from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.run import PREFIX
from lago_acceptance.facts.inside import InsideView
from lago_acceptance.scenarios import cleanup
from lago_acceptance.scenarios.cleanup import OwnedResource, Owner


def gateway_lists_a_new_plan(
    gateway: Gateway, plans: Operation, lago: Lago, owner: Owner, permit: Permit, view: InsideView
) -> Iterator[Finding]:
    """A plan that is made in Lago is in the gateway's list at once; it is removed again."""
    code = f"{PREFIX}{owner.run}-unheard-of"
    made = lago.create(
        "plans",
        "plan",
        {
            "name": code,
            "code": code,
            "description": owner.mark,
            "interval": "monthly",
            "amount_cents": 1234,
            "amount_currency": "USD",
            "pay_in_advance": True,
        },
    )
    try:
        listed = gateway.plans(plans)
        again = [] if _of(listed, made) else gateway.plans(plans)
        held = lago.all("plans")
    finally:
        cleanup.remove(lago, [OwnedResource("plans", code, owner)], permit)
    if not _of(listed, made) and are_lagos(listed, held) is False:
        # It fell back, for a moment or for longer: this plan is not what is wrong.
        yield from plans_are_lagos(listed, held, view, again)
        return
    yield from plans_are_lagos(_of(listed, made), [made], view)


def _of(listed: list[Document], made: Document) -> list[Document]:
    """Of the plans that the gateway lists, the one that was made."""
    return [plan for plan in listed if plan.get("slug") == made["code"] or plan.get("id") == made["lago_id"]]
