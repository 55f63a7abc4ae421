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
    ids = {_shown(plan, "id") for plan in shown}
    if ids and not ids & lago.keys():
        organization = view.answers.get("gateway-organization")
        reason = ""
        if organization and is_not_lagos(organization, "organization"):
            reason = f"; asked with the gateway's key, Lago answers {organization.said}"
        names = ", ".join(f"{_shown(plan, 'slug')} {_shown(plan, 'amount')}" for plan in shown[:_TOLD])
        yield gateway_finding(
            "gateway-plans-are-its-own",
            f"none of the plans that it lists is in Lago: {names}{reason}",
            "customers subscribe to plans that are never billed, and everything looks fine",
            "fix the gateway's access to Lago (name, key); it falls back to its own tables whenever Lago fails",
        )
        return
    for plan in shown:
        if (own := lago.get(_shown(plan, "id"))) is None:
            yield _differs(f"it lists {_shown(plan, 'slug')}, which Lago does not have")
            continue
        pairs = (
            ("slug", own["code"]),
            ("amount", own["amount_cents"] / 100),
            ("currency", own["amount_currency"]),
        )
        for field, wanted in pairs:
            if not same(_field(plan, field), wanted):
                given = f"{_field(plan, field)!r:.{_LONGEST}}"
                yield _differs(f"{field} of {own['code']} is {given}, and {wanted!r} in Lago")
    if missing := sorted(plan["code"] for key, plan in lago.items() if key not in ids):
        yield _differs(f"it does not list {', '.join(missing)}")


# Plans in one message, characters of one value, and an amount that is none.
_TOLD, _LONGEST, _TOO_MUCH = 10, 100, 2**62

# What a gateway may call a field of a plan: the running one's name first, Lago's own last.
_FIELDS = {
    "id": ("id", "lago_id"),
    "slug": ("slug", "plan_slug", "plan_code", "code"),
    "amount": ("amount", "amount_cents"),
    "currency": ("currency", "amount_currency"),
}


def _field(plan: Document, field: str) -> Any:
    """A field of a shown plan, whatever it is called there; an amount in major units."""
    name = next((name for name in _FIELDS.get(field, ()) if plan.get(name) is not None), field)
    value = plan.get(name)
    if name == "amount_cents" and isinstance(value, int | float) and abs(value) < _TOO_MUCH:
        return value / 100
    return value


def _shown(document: Document, field: str) -> str:
    """A field for a message: the gateway's answer may hold anything of any length."""
    return str(_field(document, field))[:_LONGEST]


def _differs(problem: str) -> Finding:
    return gateway_finding(
        "gateway-plans-differ",
        problem,
        "customers see a different price from the one they are billed",
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
        listed = ", ".join(f"{each['external_id']} ({each['plan_code']})" for each in held[:_TOLD]) or "none"
        yield gateway_finding(
            "gateway-subscription-is-its-own",
            f"it answered with the {_shown(answer, 'status')} subscription {_shown(answer, 'id')}; Lago's subscriptions of "
            f"this customer: {listed}",
            "the customer uses the product and never gets a bill",
            "fix the gateway's access to Lago; it creates its own subscriptions whenever Lago fails",
        )
    elif mine["status"] != answer.get("status"):
        yield gateway_finding(
            "gateway-subscription-differs",
            f"it reports the subscription as {_shown(answer, 'status')}, and Lago as {mine['status']}",
            "customers see something other than what they are billed for",
            "check how the gateway translates Lago's status",
        )


def named_by(answer: Document, plan: str, held: list[Document]) -> Document | None:
    """The subscription in Lago that a gateway's answer names, by either of its ids; None where Lago has none."""
    named = (answer.get(name) for name in ("id", "external_id", "lago_id"))
    ids = {name for name in named if isinstance(name, str)}
    return next(
        (
            each
            for each in held
            if each["plan_code"] == plan and {each["external_id"], each.get("lago_id")} & ids
        ),
        None,
    )
