"""Whether the API admits the front's origin, and no other."""

from __future__ import annotations

from lago_acceptance.checks.edge.open_ports import _asked
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.probes.survey import (
    PublicSurvey,
    foreign_origins,
    front_origin,
    preflight,
)

_ALLOWED = "access-control-allow-origin"


def front_is_admitted(outside: PublicSurvey, role: str) -> list[Finding]:
    """A preflight from the front's origin is answered with that origin (docs/lago-facts.md, section 3.11)."""
    origin = front_origin(outside.view)
    exchange = _asked(outside, role, preflight(origin))
    if exchange.headers.get(_ALLOWED) == origin:
        return []
    given = exchange.headers.get(_ALLOWED)
    return [
        Finding(
            id="cors-front-refused",
            role=role,
            place=Place(exchange.url),
            problem=f"the API does not let pages of {origin} use it: a preflight gives {given or 'no'} "
            f"{_ALLOWED}",
            impact="the login page shows, and logging in ends with 'An error occurred'",
            fix=f"set LAGO_FRONT_URL={origin} on the api (with scheme, in that very spelling) and start "
            "it again",
        )
    ]


def others_are_not(outside: PublicSurvey, role: str) -> list[Finding]:
    """A preflight from any other origin, the front's host on another port included, names no origin."""
    findings = []
    for origin in foreign_origins(outside.view):
        exchange = _asked(outside, role, preflight(origin))
        if given := exchange.headers.get(_ALLOWED):
            findings.append(
                Finding(
                    id="cors-foreign-admitted",
                    role=role,
                    place=Place(exchange.url),
                    problem=f"the API lets pages of {origin} use it: a preflight gives {_ALLOWED}: {given}",
                    impact="any page that a logged-in administrator opens may be able to read billing data",
                    fix="let LAGO_FRONT_URL alone decide: take headers and cors middlewares off the API's "
                    "router in Traefik",
                )
            )
    return findings
