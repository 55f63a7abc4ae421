"""Exposure: the front's pages may use the API and no others; nothing else is open."""

from __future__ import annotations

from lago_acceptance.edge_checks.answers import lago_answers
from lago_acceptance.errors import Unknown
from lago_acceptance.findings import Finding, Place
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probing import (
    JOBS,
    SECURE,
    WEB,
    Outside,
    Request,
    foreign_origins,
    front_origin,
    preflight,
)
from lago_acceptance.roles import API
from lago_acceptance.settings import Edge

_ALLOWED = "access-control-allow-origin"


def front_is_admitted(outside: Outside, role: str) -> list[Finding]:
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
            wrong=f"the API does not let pages of {origin} use it: a preflight gives {given or 'no'} "
            f"{_ALLOWED}",
            leads_to="the login page shows, and logging in ends with 'An error occurred'",
            mend=f"set LAGO_FRONT_URL={origin} on the api (with scheme, in that very spelling) and start "
            "it again",
        )
    ]


def others_are_not(outside: Outside, role: str) -> list[Finding]:
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
                    wrong=f"the API lets pages of {origin} use it: a preflight gives {_ALLOWED}: {given}",
                    leads_to="any page that a logged-in administrator opens may be able to read billing data",
                    mend="let LAGO_FRONT_URL alone decide: take headers and cors middlewares off the API's "
                    "router in Traefik",
                )
            )
    return findings


def jobs_are_closed(outside: Outside, role: str) -> list[Finding]:
    """Sidekiq's own pages aren't served: /sidekiq is Lago's JSON 404, or asks for credentials."""
    exchange = _asked(outside, role, JOBS)
    if exchange.status in (401, 403) or (
        exchange.status == 404 and exchange.media_type == "application/json"
    ):
        return []
    if exchange.status >= 400:
        raise Unknown(f"whether {exchange.url} is closed: it gives {exchange.excerpt}")
    return [
        Finding(
            id="sidekiq-web-open",
            role=role,
            place=Place(exchange.url),
            wrong=f"Sidekiq's pages are open to everybody ({exchange.excerpt[:80]})",
            leads_to="anybody can read job arguments, delete queues and lose invoices",
            mend="remove LAGO_SIDEKIQ_WEB from the api, or let Traefik ask for credentials there",
        )
    ]


def only_web_is_open(outside: Outside, edge: Edge, web: int = WEB, secure: int = SECURE) -> list[Finding]:
    """Of the origin's ports that must not answer, none does."""
    origin = outside.view.origin
    if origin is None:
        raise Unknown("which ports of the host are open: its address is not known")
    if not any(outside.knocks[(origin, port)].open for port in (web, secure)):
        raise Unknown(
            f"which ports of {origin} are open: not even {web} or {secure} answers from here "
            f"({outside.knocks[(origin, secure)].failure})"
        )
    return [
        Finding(
            id="port-open",
            place=Place(f"{origin}:{port}"),
            wrong=f"port {port} takes connections from outside",
            leads_to="a service is reached without Traefik, TLS and whatever they guard: "
            + _WHAT.get(port, "it can be attacked"),
            mend=f"publish it as 127.0.0.1:{port} or not at all; Docker's published ports pass by ufw",
        )
        for port in edge.closed_ports
        if outside.knocks[(origin, port)].open
    ]


_WHAT = {
    5432: "PostgreSQL with all invoices",
    6379: "Redis with all jobs, as a rule without a password",
    3000: "Lago's API or its PDF service without TLS",
    3010: "Lago's API without TLS",
    8080: "Traefik's dashboard, or the worker's liveness",
}


def _asked(outside: Outside, role: str, request: Request) -> Exchange:
    """Lago's answer; Blocked where something else answers."""
    host = outside.view.hosts[API]
    exchange = outside.exchanges[(host, lago_answers(outside, role), request)]
    if exchange.failure:
        raise Unknown(f"{request.method} {exchange.url}: {exchange.failure}")
    return exchange
