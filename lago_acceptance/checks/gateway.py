"""Judgement of the gateway as Lago's client: pure functions of what it answers and of what Lago itself
holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lago_acceptance.checks.inside import LIMITED, Inside, InsideView
from lago_acceptance.clients.connection import ApiAnswer
from lago_acceptance.clients.gateway import CAPABILITIES, PREFIX, Operation
from lago_acceptance.core.compare import same
from lago_acceptance.core.findings import Finding, Severity
from lago_acceptance.core.roles import GATEWAY
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Container

LEADS = {
    "plans": "no customer can see what there is to buy",
    "subscribe": "no customer can buy",
    "subscriptions": "no customer can see what they have bought",
    "invoices": "no customer can see a bill",
    "usage": "no customer can see what they have used",
}


def _red(id: str, problem: str, impact: str, fix: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(id=id, role=GATEWAY, problem=problem, impact=impact, fix=fix, severity=severity)


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


def finds_lago(view: InsideView, network: str) -> Iterator[Finding]:
    """Inside the gateway's container, Lago's name is Lago's API and nobody else."""
    health, own = view.asked("gateway-health"), view.answers.get("api-health")
    if not view.addresses:
        if view.unresolved:
            raise Unknown(f"{view.unresolved}, so nobody can tell whom Lago's name means there")
        yield _red(
            "gateway-cannot-resolve-lago",
            f"the host of {view.url} has no address inside the gateway's container",
            "the gateway answers every billing request from tables of its own, with 200",
            f"put Lago's API on {network}, under the name that the gateway uses",
        )
        return
    # A public name means the proxy, or a CDN with several addresses: what answers there tells.
    if not view.by_public_name:
        yield from _is_the_api(view, network)
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


def _is_the_api(view: InsideView, network: str) -> Iterator[Finding]:
    """All addresses that a name has there are the API's, which has one on each network that both are on."""
    api: Container | None = view.api
    strangers = set(view.addresses) - set(api.addresses.values() if api else view.addresses[:1])
    if strangers and len(view.addresses) > 1:
        yield _red(
            "lago-name-shared",
            f"the host of {view.url} has {len(view.addresses)} addresses there: {', '.join(view.addresses)}",
            "some requests reach another container, and bills come and go",
            "find the other container with this name or alias on the gateway's networks (docker network "
            "inspect)",
        )
    elif strangers:
        expected = api.addresses.get(network, "not there")
        yield _red(
            "lago-name-elsewhere",
            f"the host of {view.url} is {view.addresses[0]} there, and Lago's API is {expected} on {network}",
            "the gateway talks to something else and falls back to its own tables",
            "correct LAGO_API_URL of the gateway, or the alias on its network",
        )


def key_is_accepted(view: InsideView) -> Iterator[Finding]:
    """Lago accepts the gateway's key, and it is the key of the organization that this deployment bills in."""
    answer, own = view.asked("gateway-organization"), view.answers.get("api-organization")
    if answer.status == 403:
        raise Unknown(LIMITED.format("gateway", "organization"))
    organization, mine = _organization(answer), _organization(own)
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
    elif mine and mine["lago_id"] != organization["lago_id"]:
        yield _red(
            "gateway-key-of-another-organization",
            f"the gateway's key belongs to {organization.get('name')}, the deployment's to {mine.get('name')}",
            "customers are billed in an organization that nobody looks at",
            "give the gateway this organization's key",
        )


def _organization(answer: Inside | None) -> dict[str, Any]:
    """The organization that an answer tells of, empty where it tells of none."""
    document = answer.document if answer else None
    found = document.get("organization") if isinstance(document, dict) else None
    return found if isinstance(found, dict) and "lago_id" in found else {}


def stranger_is_refused(view: InsideView) -> Iterator[Finding]:
    """Lago refuses a key that nobody has; without this, an accepted key proves nothing."""
    answer = view.asked("gateway-stranger")
    if not answer.status:
        by = "lago-not-reached-by-gateway" if view.addresses else "gateway-cannot-resolve-lago"
        raise Blocked(by, f"whether Lago refuses strangers there ({answer.said})")
    if answer.status != 401:
        yield _red(
            "lago-takes-any-key",
            f"a key that nobody has is answered by {answer.said}",
            "what answers at Lago's name is not Lago, so no other answer of it proves anything",
            "find out what listens there: Lago answers 401",
        )


def plans_are_lagos(
    shown: list[dict[str, Any]], held: list[dict[str, Any]], view: InsideView
) -> Iterator[Finding]:
    """The gateway's plans are Lago's: id, code, amount and currency, each plan, and no other."""
    lago = {plan["lago_id"]: plan for plan in held}
    ids = {str(_told(plan, "id")) for plan in shown}
    if ids and not ids & lago.keys():
        organization = view.answers.get("gateway-organization")
        reason = (
            f"; asked with its key, Lago answers {organization.said}"
            if _wrong(organization, "organization")
            else ""
        )
        names = ", ".join(f"{_told(plan, 'slug')} {_told(plan, 'amount')}" for plan in shown)
        yield _red(
            "gateway-plans-are-its-own",
            f"none of the plans that it lists is in Lago: {names}{reason}",
            "customers subscribe to plans that nobody bills, and everything looks well",
            "mend the gateway's way to Lago (name, key); it falls back to tables of its own whenever Lago "
            "errs",
        )
        return
    for plan in shown:
        if (own := lago.get(str(_told(plan, "id")))) is None:
            yield _differs(f"it lists {_told(plan, 'slug')}, which Lago does not have")
            continue
        pairs = (
            ("slug", own["code"]),
            ("amount", own["amount_cents"] / 100),
            ("currency", own["amount_currency"]),
        )
        for field, wanted in pairs:
            if not same(_told(plan, field), wanted):
                yield _differs(f"{field} of {own['code']} is {_told(plan, field)!r}, and {wanted!r} in Lago")
    if missing := sorted(plan["code"] for key, plan in lago.items() if key not in ids):
        yield _differs(f"it does not list {', '.join(missing)}")


# What a gateway may call a field of a plan: the running one's word first, Lago's own last.
_FIELDS = {
    "id": ("id", "lago_id"),
    "slug": ("slug", "plan_slug", "plan_code", "code"),
    "amount": ("amount", "amount_cents"),
    "currency": ("currency", "amount_currency"),
}


def _told(plan: dict[str, Any], field: str) -> Any:
    """A field of a shown plan, whatever it is called there; an amount in major units."""
    name = next((name for name in _FIELDS[field] if plan.get(name) is not None), field)
    value = plan.get(name)
    return value / 100 if name == "amount_cents" and isinstance(value, int | float) else value


def _wrong(answer: Inside | None, key: str) -> bool:
    """Whether an answer was got and is not Lago's good one, a JSON object with this key: a web page has
    status 200 too.
    """
    return bool(answer) and not (
        answer.status == 200 and isinstance(answer.document, dict) and key in answer.document
    )


def _differs(problem: str) -> Finding:
    return _red(
        "gateway-plans-differ",
        problem,
        "customers are shown another price than they are billed",
        "see what the gateway caches or changes on the way from Lago's /api/v1/plans",
    )


# Of older FastAPI the second.
REFUSED = (401, 403)


def auth_is_on(answer: ApiAnswer) -> Iterator[Finding]:
    """Without a token, what belongs to a tenant is refused by 401."""
    if answer.status == 422:
        raise Unknown(f"whether {answer.asked} asks for a token: without one it is answered by {answer.said}")
    if answer.status >= 500:
        yield _fails("without a token", answer)
    elif answer.status not in REFUSED:
        yield _red(
            "gateway-auth-off",
            f"without a token, {answer.asked} is answered by {answer.said}",
            "anybody can subscribe, and read what others have bought",
            "unset DISABLE_AUTH on the gateway",
        )


def token_is_refused(what: str, answer: ApiAnswer) -> Iterator[Finding]:
    """A token that is no good is refused by 401."""
    if answer.status >= 500:
        yield _fails(f"with {what}", answer)
    elif answer.status not in REFUSED:
        yield _red(
            "gateway-takes-bad-token",
            f"{what} is answered by {answer.said}",
            "whoever makes a token acts as any customer",
            "verify signature, issuer and expiry against the issuer's JWKS",
        )


def _fails(how: str, answer: ApiAnswer) -> Finding:
    return _red(
        "gateway-fails",
        f"{how}, {answer.asked} is answered by {answer.said}",
        "no customer can use it, or a request has come in that should have been refused before it failed",
        "read the gateway's log: whether Lago was asked at all, and whether DISABLE_AUTH is set",
    )


def is_healthy(answer: ApiAnswer, view: InsideView) -> Iterator[Finding]:
    """/health is green; and it is told where that hides a Lago which the gateway does not reach."""
    status = answer.body.get("status") if isinstance(answer.body, dict) else None
    if answer.status == 200 and status == "degraded":
        yield _red(
            "gateway-degraded",
            f"/health says {answer.said}",
            "something that the gateway needs is away; its own database is there, or it would answer 503",
            "see which part its answer names",
            Severity.WARNING,
        )
    elif answer.status != 200 or status not in ("healthy", "ok", "up"):
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
    mine = named_by(answer, plan, held)
    if not mine:
        listed = ", ".join(f"{each['external_id']} ({each['plan_code']})" for each in held) or "none"
        yield _red(
            "gateway-subscription-is-its-own",
            f"it answered with the {answer.get('status')} subscription {answer.get('id')}; Lago holds for "
            f"this customer: {listed}",
            "the customer uses the product and never gets a bill",
            "mend the gateway's way to Lago; it makes subscriptions of its own whenever Lago errs",
        )
    elif mine["status"] != answer.get("status"):
        yield _red(
            "gateway-subscription-differs",
            f"it calls the subscription {answer.get('status')}, and Lago {mine['status']}",
            "the customer is told something else than is billed",
            "look at how the gateway translates Lago's status",
        )


def named_by(answer: dict[str, Any], plan: str, held: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Lago's subscription of which the gateway speaks, by either of its ids; None where Lago holds none."""
    ids = {answer.get(name) for name in ("id", "external_id", "lago_id")} - {None}
    return next(
        (
            each
            for each in held
            if each["plan_code"] == plan and {each["external_id"], each.get("lago_id")} & ids
        ),
        None,
    )
