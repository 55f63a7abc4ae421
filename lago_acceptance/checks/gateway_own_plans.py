"""Why the gateway lists plans of its own: what its variables, Lago's plans and its log prove, and the fix that follows."""

from __future__ import annotations

from typing import Any

from lago_acceptance.checks import gateway_log
from lago_acceptance.checks.gateway_effect import OWN_PLANS
from lago_acceptance.checks.gateway_inside import gateway_finding, is_not_lagos
from lago_acceptance.checks.gateway_words import TOLD, Document, names
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import GATEWAY
from lago_acceptance.facts.inside import InsideView


def fell_back(shown: list[Document], view: InsideView) -> Finding:
    """The warning about a gateway that listed its own plans once, and Lago's when it was asked again."""
    return gateway_finding(
        "gateway-fell-back",
        f"it answered once from its own plans ({names(shown)}), and from Lago's when it was asked again: Lago did not "
        f"answer it in time{f'; {view.load}' if view.load else ''}{gateway_log.quoted(gateway_log.cause(view.log, 'plans'))}",
        "whoever subscribes at such a moment gets a subscription that is never billed",
        "find out what makes Lago slow (the host's load, PostgreSQL); the gateway gives up after 5 s",
    )


def its_own(shown: list[Document], held: list[Document], view: InsideView) -> Finding:
    """The finding about a gateway that lists its own plans, with the cause as far as it is known."""
    reason, fix = _reason(view)
    logged = gateway_log.cause(view.log, "plans")
    broken = [plan["code"] for plan in held if _is_fractional(plan.get("trial_period"))]
    if broken and (not logged or "validation error" in logged):
        reason = f"; the trial_period of {', '.join(broken[:TOLD])} in Lago is no whole number of days"
        fix = "make trial_period of these plans a whole number of days: the gateway can't read it, and drops all plans"
    elif "401" in logged or "Unauthorized" in logged:
        fix = "give the gateway a key that Lago accepts, where its code reads it: its source, or another variable"
    elif "validation error" in logged:
        fix = "correct the field that its log names in Lago's plans: one that it can't read costs it all of them"
    return gateway_finding(
        OWN_PLANS,
        f"none of the plans that it lists is in Lago: {names(shown)}{reason}{gateway_log.quoted(logged)}",
        "customers subscribe to plans that are never billed, and everything looks fine: it answers from its own tables "
        "whenever Lago fails",
        fix,
    )


def _reason(view: InsideView) -> tuple[str, str]:
    """What is proven about the access that its variables give, and the fix that follows from it."""
    name = view.gateway.name if view.gateway else "<its container>"
    look = f"read `docker logs {name}`, which says why each request to Lago failed"
    organization = view.answers.get("gateway-organization")
    if organization and is_not_lagos(organization, "organization"):
        reason = f"; asked with the gateway's key, Lago answers {organization.said}"
        return reason, f"correct LAGO_API_KEY and LAGO_API_URL of the gateway, and {look}"
    if organization:
        return (
            "; Lago accepts the key in its variables at the address in its variables, so it uses another key or URL than "
            "these, or Lago failed at that moment",
            f"correct the key and the URL where its code has them, which is not in LAGO_API_KEY and LAGO_API_URL; {look}",
        )
    if view.lacks_key(GATEWAY):
        return (
            "; its container has no LAGO_API_KEY, so its key comes from elsewhere",
            f"correct the key and the URL where its code has them; {look}",
        )
    return "", look


def _is_fractional(value: Any) -> bool:
    return isinstance(value, float) and not value.is_integer()
