"""Whether the gateway shows and creates what is in Lago, and not what its own tables say."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import gateway_log
from lago_acceptance.checks.gateway_effect import OWN_PLANS, are_lagos
from lago_acceptance.checks.gateway_inside import gateway_finding
from lago_acceptance.checks.gateway_own_plans import fell_back, its_own
from lago_acceptance.checks.gateway_words import LONGEST, TOLD, Document, field, names
from lago_acceptance.checks.gateway_words import shown as shown_field
from lago_acceptance.core import registry
from lago_acceptance.core.compare import same
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.inside import InsideView


@registry.check(
    phase=4,
    errors={
        "gateway-plans-are-its-own": "The gateway lists Lago's plans, not its own.",
        "gateway-plans-differ": "The gateway lists each plan as it is in Lago.",
    },
    warnings={"gateway-fell-back": "The gateway lists Lago's plans each time it is asked."},
)
def plans_are_lagos(
    shown: list[Document],
    held: list[Document],
    view: InsideView,
    again: list[Document] | None = None,
    cause: str = "",
) -> Iterator[Finding]:
    """The gateway lists each of Lago's plans and no other, with the same id, code, amount and currency.

    ``again`` is what it listed when it was asked once more, ``cause`` the id of a finding that explains plans of its own.
    """
    if are_lagos(shown, held) is False or (shown and not held):
        if again is not None and are_lagos(again, held):
            yield fell_back(shown, view)
            shown = again
        elif cause and cause != OWN_PLANS:
            raise Blocked(
                cause, f"what the gateway lists: it shows plans of its own meanwhile ({names(shown)})"
            )
        else:
            yield its_own(shown, held, view)
            return
    lago = {plan["lago_id"]: plan for plan in held}
    ids = {shown_field(plan, "id") for plan in shown}
    for plan in shown:
        if (own := lago.get(shown_field(plan, "id"))) is None:
            yield _differs(f"it lists {shown_field(plan, 'slug')}, which Lago does not have")
            continue
        pairs = (
            ("slug", own["code"]),
            ("amount", own["amount_cents"] / 100),
            ("currency", own["amount_currency"]),
        )
        for name, wanted in pairs:
            if not same(field(plan, name), wanted):
                given = f"{field(plan, name)!r:.{LONGEST}}"
                yield _differs(f"{name} of {own['code']} is {given}, and {wanted!r} in Lago")
    if missing := sorted(plan["code"] for key, plan in lago.items() if key not in ids):
        yield _differs(f"it does not list {', '.join(missing)}")


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
def created_in_lago(
    answer: Document, plan: str, held: list[Document], view: InsideView | None = None
) -> Iterator[Finding]:
    """A subscription that the gateway says it created exists in Lago, under the tenant's customer.

    ``view`` has the gateway's log, which says why it does not.
    """
    mine = named_by(answer, plan, held)
    if not mine:
        listed = ", ".join(f"{each['external_id']} ({each['plan_code']})" for each in held[:TOLD]) or "none"
        yield gateway_finding(
            "gateway-subscription-is-its-own",
            f"it answered with the {shown_field(answer, 'status')} subscription {shown_field(answer, 'id')}; Lago's subscriptions of "
            f"this customer: {listed}{gateway_log.quoted(gateway_log.cause(view.log)) if view else ''}",
            "the customer uses the product and never gets a bill",
            "read in the gateway's log why Lago failed: it creates its own subscriptions whenever that happens",
        )
    elif mine["status"] != answer.get("status"):
        yield gateway_finding(
            "gateway-subscription-differs",
            f"it reports the subscription as {shown_field(answer, 'status')}, and Lago as {mine['status']}",
            "customers see something other than what they are billed for",
            "check how the gateway translates Lago's status",
        )


def appears_in_lago(plan: str, held: list[Document], view: InsideView | None = None) -> Iterator[Finding]:
    """After a purchase through a gateway whose answers are not known, the customer has a subscription to the plan in Lago."""
    if not any(each["plan_code"] == plan for each in held):
        listed = ", ".join(f"{each['external_id']} ({each['plan_code']})" for each in held[:TOLD]) or "none"
        yield gateway_finding(
            "gateway-subscription-is-its-own",
            f"it accepted a subscription to {plan}, and Lago has none of this customer to that plan, only: {listed}"
            f"{gateway_log.quoted(gateway_log.cause(view.log)) if view else ''}",
            "the customer uses the product and never gets a bill",
            "read in the gateway's log what Lago answered, and whether gateway.routes.subscribe in the settings sends the plan's code "
            "and the customer's external_id",
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
