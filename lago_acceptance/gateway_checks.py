"""Judgement of the gateway as Lago's client: pure functions of what it answers and of what Lago itself
holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lago_acceptance.billing_view import BillingView, Inside
from lago_acceptance.clients.connection import Answer
from lago_acceptance.clients.gateway import CAPABILITIES, PREFIX, Operation
from lago_acceptance.errors import Unknown
from lago_acceptance.facts import Container
from lago_acceptance.findings import Finding, Severity
from lago_acceptance.roles import GATEWAY

LEADS = {
    "plans": "no customer can see what there is to buy",
    "subscribe": "no customer can buy",
    "subscriptions": "no customer can see what they have bought",
    "invoices": "no customer can see a bill",
    "usage": "no customer can see what they have used",
}


def _red(id: str, wrong: str, leads_to: str, mend: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(id=id, role=GATEWAY, wrong=wrong, leads_to=leads_to, mend=mend, severity=severity)


def offers(name: str, there: dict[str, Operation]) -> Iterator[Finding]:
    """The gateway has a capability of the plan, under one of its spellings."""
    if name not in there:
        method, spellings = CAPABILITIES[name]
        asked = " or ".join(f"{method} {PREFIX}/{spelling}" for spelling in spellings)
        yield _red(
            f"gateway-lacks-{name}",
            f"its openapi.json knows no {asked}",
            LEADS[name],
            "add the route to the gateway, or waive this finding by its id until it is there",
        )


def finds_lago(view: BillingView, network: str) -> Iterator[Finding]:
    """Inside the gateway's container, Lago's name is Lago's API and nobody else."""
    if not view.url:
        raise Unknown(
            "nothing can be asked inside the gateway's container: it has no shell, or did not answer in time"
        )
    api: Container | None = view.api
    expected = api.addresses.get(network) if api else None
    health, own = view.answers.get("gateway-health"), view.answers.get("api-health")
    if not view.addresses and not (health and health.status):
        yield _red(
            "gateway-cannot-resolve-lago",
            f"the host of {view.url} has no address inside the gateway's container",
            "the gateway answers every billing request from tables of its own, with 200",
            f"put Lago's API on {network}, under the name that the gateway uses",
        )
    elif len(view.addresses) > 1:
        yield _red(
            "lago-name-shared",
            f"the host of {view.url} has {len(view.addresses)} addresses there: {', '.join(view.addresses)}",
            "some requests reach another container, and bills come and go",
            "find the other container with this name or alias on the gateway's networks (docker network "
            "inspect)",
        )
    elif expected and view.addresses[0] != expected:
        yield _red(
            "lago-name-elsewhere",
            f"the host of {view.url} is {view.addresses[0]} there, and Lago's API is {expected} on {network}",
            "the gateway talks to something else and falls back to its own tables",
            "correct LAGO_API_URL of the gateway, or the alias on its network",
        )
    if view.addresses and health:
        document = health.document
        if not isinstance(document, dict) or "version" not in document:
            yield _red(
                "lago-not-reached-by-gateway",
                f"{view.url}/health, asked inside the gateway's container, is answered by {health.said}",
                "the gateway answers every billing request from tables of its own, with 200",
                "see that Lago's API runs and listens at this address and port",
            )
        elif own and isinstance(own.document, dict) and document["version"] != own.document.get("version"):
            yield _red(
                "lago-name-elsewhere",
                f"the Lago at {view.url} is {document['version']}, and this deployment's is "
                f"{own.document.get('version')}",
                "the gateway bills in another Lago",
                "correct LAGO_API_URL of the gateway",
            )


def key_is_accepted(view: BillingView) -> Iterator[Finding]:
    """Lago accepts the gateway's key, and it is the key of the organization that this deployment bills in."""
    answer = view.answer("gateway-organization", "the organization of the gateway's key")
    own = view.answers.get("api-organization")
    document = answer.document
    organization = document.get("organization") if isinstance(document, dict) else None
    if answer.status != 200 or not organization:
        refused = answer.status == 401
        yield _red(
            "gateway-key-refused" if refused else "gateway-not-answered-by-lago",
            f"Lago answers the gateway's key with {answer.said}",
            "the gateway hides it: it lists plans of its own and makes subscriptions that no bill follows",
            "give the gateway the organization's key (Developers, API keys)"
            if refused
            else "read the log of Lago's API",
        )
    elif own and isinstance(own.document, dict):
        mine = own.document.get("organization", {})
        if mine and mine["lago_id"] != organization["lago_id"]:
            yield _red(
                "gateway-key-of-another-organization",
                f"the gateway's key belongs to {organization['name']}, the deployment's to {mine['name']}",
                "customers are billed in an organization that nobody looks at",
                "give the gateway this organization's key",
            )


def stranger_is_refused(view: BillingView) -> Iterator[Finding]:
    """Lago refuses a key that nobody has; without this, an accepted key proves nothing."""
    answer = view.answer("gateway-stranger", "Lago with a key that nobody has")
    if answer.status != 401:
        yield _red(
            "lago-takes-any-key",
            f"a key that nobody has is answered by {answer.said}",
            "what answers at Lago's name is not Lago, so no other answer of it proves anything",
            "find out what listens there: Lago answers 401",
        )


def plans_are_lagos(
    shown: list[dict[str, Any]], held: list[dict[str, Any]], view: BillingView
) -> Iterator[Finding]:
    """The gateway's plans are Lago's: id, code, amount and currency, each plan, and no other."""
    lago = {plan["lago_id"]: plan for plan in held}
    ids = {str(plan.get("id")) for plan in shown}
    if ids and not ids & lago.keys():
        organization = view.answers.get("gateway-organization")
        reason = (
            f"; asked with its key, Lago answers {organization.said}"
            if _wrong(organization, "organization")
            else ""
        )
        names = ", ".join(f"{plan.get('slug')} {plan.get('amount')}" for plan in shown)
        yield _red(
            "gateway-plans-are-its-own",
            f"none of the plans that it lists is in Lago: {names}{reason}",
            "customers subscribe to plans that nobody bills, and everything looks well",
            "mend the gateway's way to Lago (name, key); it falls back to tables of its own whenever Lago "
            "errs",
        )
        return
    for plan in shown:
        if (own := lago.get(str(plan.get("id")))) is None:
            yield _differs(f"it lists {plan.get('slug')}, which Lago does not have")
            continue
        amount = own["amount_cents"] / 100
        pairs = (("slug", own["code"]), ("amount", amount), ("currency", own["amount_currency"]))
        for field, wanted in pairs:
            if plan.get(field) != wanted:
                yield _differs(f"{field} of {own['code']} is {plan.get(field)!r}, and {wanted!r} in Lago")
    if missing := sorted(plan["code"] for key, plan in lago.items() if key not in ids):
        yield _differs(f"it does not list {', '.join(missing)}")


def _wrong(answer: Inside | None, key: str) -> bool:
    """Whether an answer was got and is not Lago's good one, a JSON object with this key: a web page has
    status 200 too.
    """
    return bool(answer) and not (
        answer.status == 200 and isinstance(answer.document, dict) and key in answer.document
    )


def _differs(wrong: str) -> Finding:
    return _red(
        "gateway-plans-differ",
        wrong,
        "customers are shown another price than they are billed",
        "see what the gateway caches or changes on the way from Lago's /api/v1/plans",
    )


def auth_is_on(answer: Answer) -> Iterator[Finding]:
    """Without a token, what belongs to a tenant is refused by 401."""
    if answer.status != 401:
        yield _red(
            "gateway-auth-off",
            f"without a token, {answer.asked} is answered by {answer.said}",
            "anybody can subscribe, and read what others have bought",
            "unset DISABLE_AUTH on the gateway",
        )


def token_is_refused(what: str, answer: Answer) -> Iterator[Finding]:
    """A token that is no good is refused by 401."""
    if answer.status != 401:
        yield _red(
            "gateway-takes-bad-token",
            f"{what} is answered by {answer.said}",
            "whoever makes a token acts as any customer",
            "verify signature, issuer and expiry against the issuer's JWKS",
        )


def is_healthy(answer: Answer, view: BillingView) -> Iterator[Finding]:
    """/health is green; and it is told where that hides a Lago which the gateway does not reach."""
    status = answer.body.get("status") if isinstance(answer.body, dict) else None
    if answer.status != 200 or status != "healthy":
        yield _red(
            "gateway-unhealthy",
            f"/health says {answer.said}",
            "the gateway's own database is away or slow: nobody can log in or buy",
            "read the gateway's log and look at its database",
        )
        return
    asked = (
        (view.answers.get(f"gateway-{name}"), key)
        for name, key in (("health", "version"), ("organization", "organization"))
    )
    if lago := next((each for each, key in asked if _wrong(each, key)), None):
        yield _red(
            "gateway-health-ignores-lago",
            f"/health says healthy while Lago, asked inside its container, answers {lago.said}",
            "monitoring stays green while nothing is billed",
            "have monitoring watch this suite's verdict, not the gateway's health",
            Severity.WARNING,
        )


def created_in_lago(answer: dict[str, Any], plan: str, held: list[dict[str, Any]]) -> Iterator[Finding]:
    """What the gateway says that it created exists in Lago, under the tenant's customer."""
    mine = [each for each in held if each["plan_code"] == plan and each["external_id"] == answer.get("id")]
    if not mine:
        listed = ", ".join(f"{each['external_id']} ({each['plan_code']})" for each in held) or "none"
        yield _red(
            "gateway-subscription-is-its-own",
            f"it answered with the {answer.get('status')} subscription {answer.get('id')}; Lago holds for "
            f"this customer: {listed}",
            "the customer uses the product and never gets a bill",
            "mend the gateway's way to Lago; it makes subscriptions of its own whenever Lago errs",
        )
    elif mine[0]["status"] != answer.get("status"):
        yield _red(
            "gateway-subscription-differs",
            f"it calls the subscription {answer.get('status')}, and Lago {mine[0]['status']}",
            "the customer is told something else than is billed",
            "look at how the gateway translates Lago's status",
        )
