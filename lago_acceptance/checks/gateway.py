"""The gateway as its customers meet it: it runs, offers what the plan asks for, and refuses bad tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from lago_acceptance.checks import gateway_log
from lago_acceptance.checks.gateway_inside import gateway_finding, is_not_lagos
from lago_acceptance.clients.answers import ApiAnswer, failed
from lago_acceptance.clients.gateway import CAPABILITIES, PREFIX, Operation, Told, not_told
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import GATEWAY, LABEL
from lago_acceptance.core.secrets import excerpt
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


def unnamed() -> Unknown:
    """What is said where nothing says that there is a gateway."""
    return Unknown(
        "no gateway is named, so there is none to check",
        why="no gateway is named",
        fix="if there is one, set hosts.gateway in settings.toml",
    )


def is_found(
    view: InsideView, settings: Settings, network: str, not_started: str, answers: Callable[[], bool]
) -> bool:
    """Whether a gateway's container was found. Unknown where there is none to look for, or none that can be told apart.

    ``not_started`` says why a stack started none, ``answers`` whether it answers by its public name.
    """
    if not settings.host(GATEWAY):
        raise unnamed()
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
def runs(found: bool, network: str, reason: str | None, view: InsideView | None = None) -> Iterator[Finding]:
    """The gateway runs on the network that it shares with Lago. ``reason`` says why it did not come up, or doesn't answer.

    ``view`` has its container that has ended, and the last lines of its log.
    """
    ended = view.ended if view else None
    if found and not reason:
        return
    name = next((each.name for each in (view and view.gateway, ended) if each), "<its container>")
    if not reason and ended:
        reason = f"{ended.name} has {ended.status} with exit code {ended.exit_code}{_last(view)}"
    where = f" on {network}" if network else ""
    yield gateway_finding(
        "gateway-down",
        f"the gateway{where} does not serve: {reason}"
        if found
        else f"no gateway runs{where}{f': {reason}' if reason else ''}",
        "customers can't buy, and nothing is billed through the gateway",
        f"read `docker logs {name}`, which shows why it does not serve, and start it on {'this' if network else 'a'} network"
        f"{'' if network else ' that Lago is on too'}",
    )


# Images of gateways whose routes and variables are known.
_KNOWN = ("*brain*gateway*", "*brain-api*")


def is_known(view: InsideView) -> bool:
    """Whether the image of the gateway's container is that of a kind whose routes and variables are known."""
    image = view.gateway.service.image if view.gateway else ""
    return any(fnmatchcase(image, each) for each in _KNOWN)


def ailing(view: InsideView) -> str:
    """Why a gateway that runs can't serve, by its own healthcheck and log; "" where that is well, or it has none."""
    container = view.gateway
    if container is None or container.health in (None, "", "healthy"):
        return ""
    said = excerpt(" ".join(container.health_output.split()), 200)
    words = f"; its last health check said: {said}" if said else ""
    return f"its container is {container.health}{words}{_last(view)}"


def _last(view: InsideView | None) -> str:
    line = gateway_log.last(view.log) if view else ""
    return f"; its last line: {line}" if line else ""


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
        if isinstance(offered, Told):
            raise not_told(name)
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


@registry.check(phase=4, errors={"gateway-auth-off": "The gateway serves no tenant's data without a token."})
def auth_is_on(*answers: ApiAnswer) -> Iterator[Finding]:
    """Without a token, the gateway refuses what belongs to a tenant with 401.

    With DISABLE_AUTH not every route answers: the invoices do, others fail for want of a tenant.
    """
    if served := _served(answers):
        yield gateway_finding(
            "gateway-auth-off",
            f"without a token, {served.asked} is answered with {served.said}",
            "anybody can subscribe, and read what others have bought",
            "unset DISABLE_AUTH on the gateway",
        )
    elif broken := next((each for each in answers if each.status >= 500), None):
        yield failed(broken, "without a token")
    elif all(each.status == 422 for each in answers):
        answer = answers[0]
        raise Unknown(
            f"whether {answer.asked} requires a token: without one it is answered with {answer.said}",
            why="the gateway answers requests without a token with 422",
        )


@registry.check(phase=4, errors={"gateway-takes-bad-token": "The gateway refuses invalid tokens."})
def token_is_refused(kind: str, *answers: ApiAnswer) -> Iterator[Finding]:
    """The gateway refuses invalid tokens with 401: garbage, forged ones, expired ones, in each header that it reads."""
    if served := _served(answers, unproven=()):
        yield gateway_finding(
            "gateway-takes-bad-token",
            f"a token that is {kind} is answered with {served.said}",
            "anybody can make up a token and act as any customer",
            "verify signature, issuer and expiry against the issuer's JWKS",
        )
    elif broken := next((each for each in answers if each.status >= 500), None):
        yield failed(broken, f"with a token that is {kind}")


def _served(answers: tuple[ApiAnswer, ...], unproven: tuple[int, ...] = (422,)) -> ApiAnswer | None:
    """The first answer that is neither a refusal nor a failure."""
    return next(
        (each for each in answers if each.status < 500 and each.status not in (*_REFUSED, *unproven)), None
    )


@registry.check(
    phase=4,
    errors={"gateway-unhealthy": "The gateway reports that it is healthy."},
    warnings={
        "gateway-degraded": "The gateway reports that everything it needs is available.",
        "gateway-health-ignores-lago": "The gateway's health shows whether it can reach Lago.",
    },
)
def is_healthy(answer: ApiAnswer, view: InsideView, lagos: bool | None = None) -> Iterator[Finding]:
    """/health is green. A warning where that hides a Lago which the gateway can't reach.

    ``lagos`` is whether its plans are Lago's (None: not known), whatever its variables lead to.
    """
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
    lago = next((each for each, key in asked if each and is_not_lagos(each, key)), None)
    if (lago and not lagos) or lagos is False:
        yield gateway_finding(
            "gateway-health-ignores-lago",
            f"/health says healthy while Lago, asked inside the gateway's container, answers {lago.said}"
            if lago
            else "/health says healthy while the gateway lists plans of its own, for Lago fails it",
            "monitoring stays green while nothing is billed",
            "monitor this suite's verdict instead of the gateway's health",
        )
