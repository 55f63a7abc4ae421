"""Whether the gateway can check tokens at all: it needs the public keys of their issuer."""

from __future__ import annotations

from collections.abc import Callable

from lago_acceptance.checks.gateway_inside import gateway_finding
from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.gateway import Gateway, Operation
from lago_acceptance.clients.token_issuer import NAME
from lago_acceptance.core import registry
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.secrets import Secret


@registry.check(
    phase=4,
    errors={"gateway-issuer-not-reached": "The gateway reads the keys of its tokens' issuer (JWKS)."},
)
def checkable(
    token: Secret, gateway: Gateway, there: dict[str, Operation], keys_were_asked: Callable[[], bool]
) -> Secret:
    """A token of this run's issuer. Red where the gateway refuses it and has never read the issuer's keys.

    The issuer of a stack is this run's own, so a gateway that never asked for its keys can't reach them. On a live host
    the gateway may trust any issuer: this is not asked there.
    """
    if mine := there.get("subscriptions"):
        tried = Attempt.of(gateway.read, mine, token)
        if not tried.failure and not keys_were_asked():
            answer = tried.value()
            if answer.unhandled or answer.status in (401, 403, 503):
                raise Red(_not_reached(answer))
    return token


def _not_reached(answer: ApiAnswer) -> Finding:
    return gateway_finding(
        "gateway-issuer-not-reached",
        f"a good token of this run's issuer is answered with {answer.said}, and the gateway has never asked for the "
        f"issuer's keys at {NAME}",
        "no customer can use the gateway: it can check no token",
        "have it read the keys (JWKS) below CLERK_ISSUER (/.well-known/jwks.json), below AUTHENTIK_ISSUER (/jwks/) or at "
        "JWKS_URL, and put it on a network from which it reaches them",
    )
