"""Whether the gateway shows and creates what is in Lago, and not what its own tables say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lago_acceptance.checks.gateway_inside import gateway_finding, is_not_lagos
from lago_acceptance.core import registry
from lago_acceptance.core.compare import same
from lago_acceptance.core.findings import Finding
from lago_acceptance.facts.inside import InsideView

Document = dict[str, Any]


@registry.check(
    phase=4,
    errors={
        "gateway-plans-are-its-own": "The gateway lists Lago's plans, not its own.",
        "gateway-plans-differ": "The gateway lists each plan as it is in Lago.",
    },
)
def plans_are_lagos(shown: list[Document], held: list[Document], view: InsideView) -> Iterator[Finding]:
    """The gateway lists each of Lago's plans and no other, with the same id, code, amount and currency."""
    lago = {plan["lago_id"]: plan for plan in held}
    ids = {str(_field(plan, "id")) for plan in shown}
    if ids and not ids & lago.keys():
        organization = view.answers.get("gateway-organization")
        reason = ""
        if organization and is_not_lagos(organization, "organization"):
            reason = f"; asked with the gateway's key, Lago answers {organization.said}"
        names = ", ".join(f"{_field(plan, 'slug')} {_field(plan, 'amount')}" for plan in shown)
        yield gateway_finding(
            "gateway-plans-are-its-own",
            f"none of the plans that it lists is in Lago: {names}{reason}",
            "customers subscribe to plans that are never billed, and everything looks fine",
            "fix the gateway's access to Lago (name, key); it falls back to its own tables whenever Lago fails",
        )
        return
    for plan in shown:
        if (own := lago.get(str(_field(plan, "id")))) is None:
            yield _differs(f"it lists {_field(plan, 'slug')}, which Lago does not have")
            continue
        pairs = (
            ("slug", own["code"]),
            ("amount", own["amount_cents"] / 100),
            ("currency", own["amount_currency"]),
        )
        for field, wanted in pairs:
            if not same(_field(plan, field), wanted):
                yield _differs(f"{field} of {own['code']} is {_field(plan, field)!r}, and {wanted!r} in Lago")
    if missing := sorted(plan["code"] for key, plan in lago.items() if key not in ids):
        yield _differs(f"it does not list {', '.join(missing)}")


# What a gateway may call a field of a plan: the running one's name first, Lago's own last.
_FIELDS = {
    "id": ("id", "lago_id"),
    "slug": ("slug", "plan_slug", "plan_code", "code"),
    "amount": ("amount", "amount_cents"),
    "currency": ("currency", "amount_currency"),
}


def _field(plan: Document, field: str) -> Any:
    """A field of a shown plan, whatever it is called there; an amount in major units."""
    name = next((name for name in _FIELDS[field] if plan.get(name) is not None), field)
    value = plan.get(name)
    return value / 100 if name == "amount_cents" and isinstance(value, int | float) else value


def _differs(problem: str) -> Finding:
    return gateway_finding(
        "gateway-plans-differ",
        problem,
        "customers see another price than they are billed",
        "check what the gateway caches, and how it converts the answer of Lago's /api/v1/plans",
    )


@registry.check(
    phase=4,
    errors={
        "gateway-subscription-is-its-own": "A subscription that the gateway reports exists in Lago.",
        "gateway-subscription-differs": "The gateway reports a subscription's status as Lago does.",
    },
)
def created_in_lago(answer: Document, plan: str, held: list[Document]) -> Iterator[Finding]:
    """A subscription that the gateway says it created exists in Lago, under the tenant's customer."""
    mine = named_by(answer, plan, held)
    if not mine:
        listed = ", ".join(f"{each['external_id']} ({each['plan_code']})" for each in held) or "none"
        yield gateway_finding(
            "gateway-subscription-is-its-own",
            f"it answered with the {answer.get('status')} subscription {answer.get('id')}; Lago's subscriptions of "
            f"this customer: {listed}",
            "the customer uses the product and never gets a bill",
            "fix the gateway's access to Lago; it makes its own subscriptions whenever Lago fails",
        )
    elif mine["status"] != answer.get("status"):
        yield gateway_finding(
            "gateway-subscription-differs",
            f"it reports the subscription as {answer.get('status')}, and Lago as {mine['status']}",
            "customers see something else than they are billed for",
            "check how the gateway translates Lago's status",
        )


def named_by(answer: Document, plan: str, held: list[Document]) -> Document | None:
    """The subscription in Lago that a gateway's answer names, by either of its ids; None where Lago has none."""
    ids = {answer.get(name) for name in ("id", "external_id", "lago_id")} - {None}
    return next(
        (
            each
            for each in held
            if each["plan_code"] == plan and {each["external_id"], each.get("lago_id")} & ids
        ),
        None,
    )
