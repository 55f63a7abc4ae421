"""Answers: the right kind of body per host, through the name and straight to the origin.

A status says little: Lago's front answers 200 with HTML to any path (docs/lago-facts.md, section 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from lago_acceptance.checks.edge import certificates, dns_records
from lago_acceptance.checks.edge.cloudflare import is_cloudflare
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import HEALTH, PAGE, PROOFS, SCRIPT, PublicSurvey, Request

# Traefik's own words, and what they mean.
_PROXY_SAYS = {
    404: (
        "Traefik has no router for this name",
        "see whether the router of this host exists and is enabled, on this entrypoint",
    ),
    502: (
        "Traefik can't connect to the service behind this name",
        "see whether the container runs, and listens on the port in "
        "traefik.http.services.NAME.loadbalancer.server.port",
    ),
    503: (
        "Traefik has no server for the service behind this name",
        "see whether the container runs and is healthy",
    ),
    504: (
        "Traefik gets no answer from the service behind this name",
        "put Traefik and the container on one network, and name it in traefik.docker.network",
    ),
}
NO_LOOP = "take redirects off the https router; behind Cloudflare set SSL/TLS to Full (strict), not Flexible"
REDIRECTS = (301, 302, 303, 307, 308)


def through_the_name(outside: PublicSurvey, role: str) -> list[Finding]:
    """At every address of the name, https gives what this role gives."""
    host = outside.view.hosts[role]
    found = dns_records.addresses(outside, role)
    failed = [outside.exchanges[(host, each, PROOFS[role][0])].failure for each in found]
    reachable = [
        address
        for address, failure in zip(found, failed, strict=True)
        if not (failure and failure.kind is Kind.NO_ROUTE)
    ]
    if not reachable:
        raise Unknown(f"what {host} serves at {', '.join(found)}: {failed[0]}")
    # What an IPv6 address gives is judged where names are, for its silence may be this machine's.
    chosen = [each for each in reachable if ":" not in each] or reachable
    return _at(outside, role, chosen)


def straight_to_the_origin(outside: PublicSurvey, role: str) -> list[Finding]:
    """At the origin, with the name in SNI and Host, https gives what this role gives."""
    host, origin = outside.view.hosts[role], outside.view.origin
    if origin is None:
        raise Unknown(f"what {host} serves at the origin: its address is not known")
    failure = outside.exchanges[(host, origin, PROOFS[role][0])].failure
    if failure and failure.kind is Kind.NO_ROUTE:
        raise Unknown(f"what {host} serves at the origin {origin}: {failure}")
    if shut := dns_records.closed_to_us(outside, host):
        raise Unknown(f"what {host} serves at the origin {origin}: {shut}")
    return _at(outside, role, [origin])


def lago_answers(outside: PublicSurvey, role: str) -> str:
    """The address at which the role's own answers can be read; Blocked by what is in the way of them."""
    host = outside.view.hosts[role]
    for address in outside.everywhere(host):
        if not any(_judged(outside, role, address, request) for request in PROOFS[role][:1]):
            return address
    errors = through_the_name(outside, role)
    raise Blocked(errors[0].id if errors else "host-unanswered", f"what else {host} answers")


def _at(outside: PublicSurvey, role: str, addresses: Iterable[str]) -> list[Finding]:
    findings = [
        each
        for address in addresses
        for request in PROOFS[role]
        for each in _judged(outside, role, address, request)
    ]
    return list({each.id: each for each in reversed(findings)}.values())[::-1]


def _judged(outside: PublicSurvey, role: str, address: str, request: Request) -> list[Finding]:
    exchange = outside.exchanges[(outside.view.hosts[role], address, request)]
    if exchange.failure and exchange.failure.kind is Kind.CERTIFICATE:
        raise Blocked(certificates.blocker(outside, role), f"what {exchange.url} serves")
    common = _unanswered(outside, role, exchange) or _by_the_proxy(exchange) or _redirected(exchange)
    finding = common or _KIND[(role, request)](outside, exchange)
    return [finding_at(role, exchange, *finding)] if finding else []


def finding_at(role: str, exchange: Exchange, id: str, problem: str, impact: str, fix: str) -> Finding:
    """A finding whose place is the URL of an exchange and the address that was asked."""
    return Finding(
        id=id,
        role=role,
        place=Place(f"{exchange.url} at {exchange.address}"),
        problem=problem,
        impact=impact,
        fix=fix,
    )


Told = tuple[str, str, str, str]


def _unanswered(outside: PublicSurvey, role: str, exchange: Exchange) -> Told | None:
    if not exchange.failure:
        return None
    if outside.handshakes[(outside.view.hosts[role], exchange.address)].failure is None:
        return (
            "service-unanswered",
            "the proxy takes the connection, and nothing comes from the service behind it: "
            f"{exchange.failure}",
            "browsers wait, and the gateway falls back to plans of its own",
            _PROXY_SAYS[504][1] + "; where they are, read the service's log: it hangs",
        )
    return (
        "host-unanswered",
        f"nothing answers: {exchange.failure}",
        "neither customers nor the gateway get anything there",
        "see whether Traefik runs, publishes ports 80 and 443 on the host, and the host's firewall lets "
        "them in",
    )


def _by_the_proxy(exchange: Exchange) -> Told | None:
    if 520 <= exchange.status <= 530 and is_cloudflare(exchange.address):
        return (
            "cloudflare-cannot-reach-origin",
            f"Cloudflare answers {exchange.status}: it gets no usable answer from the origin",
            "nobody reaches the name",
            "let Cloudflare's addresses in on port 443 of the host, give the origin a valid "
            "certificate, and set the A record behind the proxy to the host's address",
        )
    if exchange.status in _PROXY_SAYS and exchange.media_type in ("text/plain", ""):
        problem, fix = _PROXY_SAYS[exchange.status]
        return (
            "proxy-answers-itself",
            f"{problem} ({exchange.excerpt})",
            "nobody reaches the service by its name",
            fix,
        )
    return None


def _redirected(exchange: Exchange) -> Told | None:
    if exchange.status not in REDIRECTS:
        return None
    target = exchange.headers.get("location", "nowhere")
    return (
        "https-redirects",
        f"https answers with a redirect to {target[:200]} ({exchange.status})",
        "browsers stop with 'too many redirects' where it leads back; the gateway does not follow any",
        NO_LOOP,
    )


def _health(outside: PublicSurvey, exchange: Exchange) -> Told | None:
    try:
        body = json.loads(exchange.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or exchange.media_type != "application/json":
        return _other_service(exchange, "the JSON of Lago's /health")
    if exchange.status != 200:
        return (
            "api-unhealthy",
            f"Lago answers, and is not well ({exchange.excerpt})",
            "every request that needs the database fails",
            "read the log of the api; as a rule DATABASE_URL or the database is at fault",
        )
    if not isinstance(body.get("version"), str):
        return _other_service(exchange, "Lago's /health with its version")
    return None


def _gateway_health(outside: PublicSurvey, exchange: Exchange) -> Told | None:
    try:
        is_json = isinstance(json.loads(exchange.body), dict) and exchange.media_type == "application/json"
    except ValueError:
        is_json = False
    if not is_json:
        return _other_service(exchange, "the JSON of the gateway's /health")
    if exchange.status != 200:
        return (
            "gateway-unhealthy",
            f"the gateway answers, and is not well ({exchange.excerpt})",
            "its billing routes fail",
            "read the log of the gateway; its own database is down as a rule",
        )
    return None


def _page(outside: PublicSurvey, exchange: Exchange) -> Told | None:
    if exchange.status != 200 or exchange.media_type != "text/html" or "env-config.js" not in exchange.body:
        return _other_service(exchange, "the front's page, which loads env-config.js")
    return None


def _script(outside: PublicSurvey, exchange: Exchange) -> Told | None:
    if exchange.status != 200 or "javascript" not in exchange.media_type:
        return _other_service(exchange, "env-config.js as JavaScript, which the front writes at every start")
    found = re.search(r"""window\.API_URL\s*=\s*["']([^"']*)["']""", exchange.body)
    given = found[1] if found else ""
    wanted = f"https://{outside.view.hosts[API]}"
    if given == wanted:
        return None
    return (
        "front-api-url",
        f"the front tells browsers that the API is at {given or 'no address at all'!r}, not at {wanted!r}",
        "the login page shows and nobody can log in: what browsers post goes elsewhere"
        if given
        else "the login page shows and nobody can log in: browsers post to /undefined/graphql on the "
        "front, which answers 405",
        f"set API_URL={wanted} (without a slash at its end) on the front; its image reads no other name "
        "for it",
    )


def _other_service(exchange: Exchange, wanted: str) -> Told:
    return (
        "wrong-service-answers",
        f"{wanted} is due, and this came: {exchange.excerpt}",
        "the name is routed, but not to what should be behind it",
        "see which service the router of this host is linked to",
    )


_KIND: dict[tuple[str, Request], Callable[[PublicSurvey, Exchange], Told | None]] = {
    (API, HEALTH): _health,
    (FRONT, PAGE): _page,
    (FRONT, SCRIPT): _script,
    (GATEWAY, HEALTH): _gateway_health,
}
