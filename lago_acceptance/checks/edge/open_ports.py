"""Exposure: the front's pages may use the API and no others; nothing else is open."""

from __future__ import annotations

from lago_acceptance.checks.edge.http_answers import lago_answers
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import EdgeSettings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import (
    JOBS,
    SECURE,
    WEB,
    PublicSurvey,
    Request,
)


def jobs_are_closed(outside: PublicSurvey, role: str) -> list[Finding]:
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
            problem=f"Sidekiq's pages are open to everybody ({exchange.excerpt[:80]})",
            impact="anybody can read job arguments, delete queues and lose invoices",
            fix="remove LAGO_SIDEKIQ_WEB from the api, or let Traefik ask for credentials there",
        )
    ]


def only_web_is_open(
    outside: PublicSurvey, edge: EdgeSettings, web: int = WEB, secure: int = SECURE
) -> list[Finding]:
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
            problem=f"port {port} takes connections from outside",
            impact="a service is reached without Traefik, TLS and whatever they guard: "
            + _WHAT.get(port, "it can be attacked"),
            fix=f"publish it as 127.0.0.1:{port} or not at all; Docker's published ports pass by ufw",
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


def _asked(outside: PublicSurvey, role: str, request: Request) -> Exchange:
    """Lago's answer; Blocked where something else answers."""
    host = outside.view.hosts[API]
    exchange = outside.exchanges[(host, lago_answers(outside, role), request)]
    if exchange.failure:
        raise Unknown(f"{request.method} {exchange.url}: {exchange.failure}")
    return exchange
