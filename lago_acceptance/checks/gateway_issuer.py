"""Whether the gateway can check tokens at all: it needs the public keys of their issuer."""

from __future__ import annotations

from lago_acceptance.checks.gateway_inside import gateway_finding
from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding


@registry.check(
    phase=4,
    errors={"gateway-issuer-not-reached": "The gateway reads the keys of its tokens' issuer (JWKS)."},
)
def issuer_not_reached(answer: ApiAnswer, issuer: str) -> Finding:
    """The issuer of a stack is this run's own, so a gateway that never asked for its keys can't reach them.

    On a live host the gateway may trust any issuer, so nothing is said there.
    """
    return gateway_finding(
        "gateway-issuer-not-reached",
        f"a good token of this run's issuer is answered with {answer.said}, and the gateway has never asked for the "
        f"issuer's keys at {issuer}",
        "no customer can use the gateway: it can check no token",
        "have it read the keys (JWKS) below CLERK_ISSUER (/.well-known/jwks.json), below AUTHENTIK_ISSUER (/jwks/) or at "
        "JWKS_URL, and put it on a network from which it reaches them",
    )
