"""The gateway as its customers meet it: it runs, offers what the plan asks for, and refuses bad tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lago_acceptance.checks.gateway_inside import gateway_finding, is_not_lagos
from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.gateway import CAPABILITIES, PREFIX, Operation
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import GATEWAY, LABEL
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideView

_IMPACT = {
    "plans": "customers can't see the plans on offer",
    "subscribe": "customers can't buy",
    "subscriptions": "customers can't see what they have bought",
    "invoices": "customers can't see their bills",
    "usage": "customers can't see their usage",
}


def without_one(reason: str) -> Unknown:
    """What is said where no gateway was started beside a stack."""
    return Unknown(
        reason,
        why="no gateway was started beside this stack",
        fix="set both LAGO_ORG_API_KEY and LAGO_API_KEY, or give --api-key-file FILE",
    )


def is_found(
    view: InsideView, settings: Settings, network: str, not_started: str, answers: Callable[[], bool]
) -> bool:
    """Whether a gateway's container was found. Unknown where there is none to look for, or none that can be told apart.

    ``not_started`` says why a stack started none, ``answers`` whether it answers by its public name.
    """
    if not settings.hosts.gateway:
        raise Unknown(
            "the settings name no gateway (hosts.gateway), so there is none to check",
            why="the settings name no gateway",
            fix="set hosts.gateway in settings.toml",
        )
    if not view.gateway and not_started:
        raise without_one(not_started)
    if not view.gateway and answers():
        raise Unknown(
            f"the gateway answers, but no container on {network} can be identified as the gateway: unless its image "
            f"is named like one, give it the label {LABEL}={GATEWAY}",
            why="no container can be identified as the gateway",
            fix=f"give the gateway's container the label {LABEL}={GATEWAY}",
        )
    return bool(view.gateway)


@registry.check(phase=4, errors={"gateway-down": "A gateway runs on the network that it shares with Lago."})
def runs(found: bool, network: str, reason: str | None) -> Iterator[Finding]:
    """The gateway runs on the network that it shares with Lago. ``reason`` says why it did not come up."""
    if not found:
        yield gateway_finding(
            "gateway-down",
            f"no gateway runs on {network}{f': {reason}' if reason else ''}",
            "customers can't buy, and nothing is billed through the gateway",
            "start it and put it on this network; `docker logs` shows why it exited",
        )


def must_run(found: bool, missing: str) -> None:
    """Blocked where no gateway runs."""
    if not found:
        raise Blocked("gateway-down", missing)


@registry.check(
    phase=4,
    errors={
        "gateway-lacks-plans": "The gateway has a route that lists plans.",
        "gateway-lacks-subscribe": "The gateway has a route to subscribe.",
        "gateway-lacks-subscriptions": "The gateway has a route that shows subscriptions.",
        "gateway-lacks-invoices": "The gateway has a route that lists invoices.",
        "gateway-lacks-usage": "The gateway has a route that shows usage.",
    },
)
def offers(name: str, offered: dict[str, Operation]) -> Iterator[Finding]:
    """The gateway's openapi.json has each billing route of the plan, under one of its spellings."""
    if name not in offered:
        capability = CAPABILITIES[name]
        asked = " or ".join(f"{capability.method} {PREFIX}/{path}" for path in capability.spellings)
        yield gateway_finding(
            capability.lacking,
            f"its openapi.json has no {asked}",
            _IMPACT[name],
            "add the route to the gateway, or waive this finding until it exists",
        )


# Older FastAPI answers with the second.
_REFUSED = (401, 403)


@registry.check(
    phase=4,
    errors={
        "gateway-auth-off": "The gateway serves no tenant's data without a token.",
        "gateway-fails": "The gateway refuses requests without failing.",
    },
)
def auth_is_on(answer: ApiAnswer) -> Iterator[Finding]:
    """Without a token, the gateway refuses what belongs to a tenant with 401."""
    if answer.status == 422:
        raise Unknown(
            f"whether {answer.asked} requires a token: without one it is answered with {answer.said}",
            why="the gateway answers requests without a token with 422",
        )
    if answer.status >= 500:
        yield _fails("without a token", answer)
    elif answer.status not in _REFUSED:
        yield gateway_finding(
            "gateway-auth-off",
            f"without a token, {answer.asked} is answered with {answer.said}",
            "anybody can subscribe, and read what others have bought",
            "unset DISABLE_AUTH on the gateway",
        )


@registry.check(phase=4, errors={"gateway-takes-bad-token": "The gateway refuses invalid tokens."})
def token_is_refused(kind: str, answer: ApiAnswer) -> Iterator[Finding]:
    """The gateway refuses invalid tokens with 401: garbage, forged ones, expired ones."""
    if answer.status >= 500:
        yield _fails(f"with a token that is {kind}", answer)
    elif answer.status not in _REFUSED:
        yield gateway_finding(
            "gateway-takes-bad-token",
            f"a token that is {kind} is answered with {answer.said}",
            "anybody can make up a token and act as any customer",
            "verify signature, issuer and expiry against the issuer's JWKS",
        )


def _fails(how: str, answer: ApiAnswer) -> Finding:
    return gateway_finding(
        "gateway-fails",
        f"{how}, {answer.asked} is answered with {answer.said}",
        "customers can't use it, or it accepted a request that it should have refused before failing",
        "read the gateway's log: whether Lago was asked at all, and whether DISABLE_AUTH is set",
    )


@registry.check(
    phase=4,
    errors={"gateway-unhealthy": "The gateway reports that it is healthy."},
    warnings={
        "gateway-degraded": "The gateway reports that everything it needs is available.",
        "gateway-health-ignores-lago": "The gateway's health shows whether it can reach Lago.",
    },
)
def is_healthy(answer: ApiAnswer, view: InsideView) -> Iterator[Finding]:
    """/health is green. A warning where that hides a Lago which the gateway can't reach."""
    status = answer.body.get("status") if isinstance(answer.body, dict) else None
    if answer.status == 200 and status == "degraded":
        yield gateway_finding(
            "gateway-degraded",
            f"/health says {answer.said}",
            "something that the gateway needs is down; not its own database, or it would answer 503",
            "read which part the answer names",
        )
    elif answer.status != 200 or status not in ("healthy", "ok", "up"):
        yield gateway_finding(
            "gateway-unhealthy",
            f"/health says {answer.said}",
            "the gateway's own database is down or slow: nobody can log in or buy",
            "read the gateway's log and check its database",
        )
        return
    asked = (
        (view.answers.get(f"gateway-{name}"), key)
        for name, key in (("health", "version"), ("organization", "organization"))
    )
    if lago := next((each for each, key in asked if each and is_not_lagos(each, key)), None):
        yield gateway_finding(
            "gateway-health-ignores-lago",
            f"/health says healthy while Lago, asked inside the gateway's container, answers {lago.said}",
            "monitoring stays green while nothing is billed",
            "monitor this suite's verdict instead of the gateway's health",
        )
