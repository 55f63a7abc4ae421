"""What each public host serves: through its name, and straight at the origin.

A status says little: Lago's front answers 200 with HTML to any path (docs/lago-facts.md, section 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from lago_acceptance.checks.edge import certificates, dns_records
from lago_acceptance.checks.edge.cloudflare import is_cloudflare
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place, errors_among
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import HEALTH, PAGE, PROOFS, SCRIPT, PublicSurvey, Request

# Traefik's own words, and what they mean.
_PROXY_SAYS = {
    404: (
        "Traefik has no router for this name",
        "check that this host has an enabled router on this entrypoint",
    ),
    502: (
        "Traefik can't connect to the service behind this name",
        "check that the container runs and listens on the port in "
        "traefik.http.services.NAME.loadbalancer.server.port",
    ),
    503: (
        "Traefik has no server for the service behind this name",
        "check that the container runs and is healthy",
    ),
    504: (
        "Traefik gets no answer from the service behind this name",
        "put Traefik and the container on the same network, and name that network in traefik.docker.network",
    ),
}
NO_LOOP = (
    "remove the redirect from the https router; behind Cloudflare set SSL/TLS to Full (strict), not Flexible"
)
REDIRECTS = (301, 302, 303, 307, 308)


@registry.check(
    phase=3,
    errors={
        "host-unanswered": "Nothing answers at the host's address",
        "service-unanswered": "The service behind the proxy does not answer",
        "cloudflare-cannot-reach-origin": "Cloudflare can't reach the origin",
        "proxy-answers-itself": "Traefik answers with an error of its own",
        "https-redirects": "The https address redirects",
        "wrong-service-answers": "Another service answers at this name",
    },
)
def through_the_name(survey: PublicSurvey, role: str) -> list[Finding]:
    """At every address of the name, https serves what belongs there.

    A status alone proves nothing: Lago's front answers 200 with HTML to any path.
    """
    host = survey.view.hosts[role]
    found = dns_records.addresses(survey, role)
    failed = [survey.exchanges[(host, each, PROOFS[role][0])].failure for each in found]
    reachable = [
        address
        for address, failure in zip(found, failed, strict=True)
        if not (failure and failure.kind is Kind.NO_ROUTE)
    ]
    if not reachable:
        raise Unknown(f"what {host} serves at {', '.join(found)}: {failed[0]}")
    # IPv6 addresses are judged with the DNS records, for their silence may be this machine's own.
    chosen = [each for each in reachable if ":" not in each] or reachable
    return _at(survey, role, chosen)


def straight_to_the_origin(survey: PublicSurvey, role: str) -> list[Finding]:
    """At the origin's address, asked by the name (SNI and Host), https serves what belongs there."""
    host, origin = survey.view.hosts[role], survey.view.origin
    if origin is None:
        raise Unknown(f"what {host} serves at the origin: its address is not known")
    failure = survey.exchanges[(host, origin, PROOFS[role][0])].failure
    if failure and failure.kind is Kind.NO_ROUTE:
        raise Unknown(f"what {host} serves at the origin {origin}: {failure}")
    if shut := dns_records.closed_to_us(survey, host):
        raise Unknown(f"what {host} serves at the origin {origin}: {shut}")
    return _at(survey, role, [origin])


def lago_answers(survey: PublicSurvey, role: str) -> str:
    """An address at which the role's own service answers. Blocked where none does."""
    host = survey.view.hosts[role]
    for address in survey.everywhere(host):
        if not any(_judged(survey, role, address, request) for request in PROOFS[role][:1]):
            return address
    errors = through_the_name(survey, role)
    raise Blocked(errors[0].id if errors else "host-unanswered", f"what else {host} answers")


def lago_exchange(survey: PublicSurvey, role: str, request: Request) -> Exchange:
    """Lago's answer to a request. Blocked where something else answers, Unknown where none came."""
    exchange = survey.exchanges[(survey.view.hosts[role], lago_answers(survey, role), request)]
    if exchange.failure:
        raise Unknown(f"{request.method} {exchange.url}: {exchange.failure}")
    return exchange


def in_the_way(survey: PublicSurvey, role: str) -> str:
    """The id of the finding that says why a role's name does not give its service, "" where nothing says so."""
    if role not in survey.view.hosts:
        return ""
    try:
        errors = errors_among(through_the_name(survey, role))
    except Blocked as blocked:
        return blocked.by
    except Unknown:
        return ""
    return errors[0].id if errors else ""


def _at(survey: PublicSurvey, role: str, addresses: Iterable[str]) -> list[Finding]:
    findings = [
        each
        for address in addresses
        for request in PROOFS[role]
        for each in _judged(survey, role, address, request)
    ]
    return list({each.id: each for each in reversed(findings)}.values())[::-1]


def _judged(survey: PublicSurvey, role: str, address: str, request: Request) -> list[Finding]:
    exchange = survey.exchanges[(survey.view.hosts[role], address, request)]
    if exchange.failure and exchange.failure.kind is Kind.CERTIFICATE:
        raise Blocked(certificates.blocker(survey, role), f"what {exchange.url} serves")
    common = _unanswered(survey, role, exchange) or _by_the_proxy(exchange) or _redirected(exchange)
    finding = common or _KIND[(role, request)](survey, exchange)
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


def _unanswered(survey: PublicSurvey, role: str, exchange: Exchange) -> Told | None:
    if not exchange.failure:
        return None
    if survey.handshakes[(survey.view.hosts[role], exchange.address)].failure is None:
        return (
            "service-unanswered",
            f"the proxy accepts the connection, and the service behind it does not answer: {exchange.failure}",
            "browsers hang, and the gateway falls back to its own plans",
            _PROXY_SAYS[504][1] + "; if they are, the service hangs: read its log",
        )
    return (
        "host-unanswered",
        f"nothing answers: {exchange.failure}",
        "customers and the gateway get no answer",
        "check that Traefik runs and publishes ports 80 and 443 on the host, and that the firewall lets them in",
    )


def _by_the_proxy(exchange: Exchange) -> Told | None:
    if 520 <= exchange.status <= 530 and is_cloudflare(exchange.address):
        return (
            "cloudflare-cannot-reach-origin",
            f"Cloudflare answers {exchange.status}: it gets no usable answer from the origin",
            "nobody can reach this name",
            "open port 443 of the host to Cloudflare's addresses, give the origin a valid certificate, and set the "
            "A record behind Cloudflare's proxy to the host's address",
        )
    if exchange.status in _PROXY_SAYS and exchange.media_type in ("text/plain", ""):
        problem, fix = _PROXY_SAYS[exchange.status]
        return (
            "proxy-answers-itself",
            f"{problem} ({exchange.excerpt})",
            "nobody can reach the service by its name",
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
        "browsers stop with 'too many redirects' if it points back; the gateway follows no redirects",
        NO_LOOP,
    )


def _health(survey: PublicSurvey, exchange: Exchange) -> Told | None:
    try:
        body = json.loads(exchange.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or exchange.media_type != "application/json":
        return _other_service(exchange, "the JSON of Lago's /health")
    if exchange.status != 200:
        return (
            "api-unhealthy",
            f"Lago answers and reports that it is not healthy ({exchange.excerpt})",
            "every request that needs the database fails",
            "read the api's log; usually DATABASE_URL or the database is the cause",
        )
    if not isinstance(body.get("version"), str):
        return _other_service(exchange, "Lago's /health with its version")
    return None


def _gateway_health(survey: PublicSurvey, exchange: Exchange) -> Told | None:
    try:
        is_json = isinstance(json.loads(exchange.body), dict) and exchange.media_type == "application/json"
    except ValueError:
        is_json = False
    if not is_json:
        return _other_service(exchange, "the JSON of the gateway's /health")
    if exchange.status != 200:
        return (
            "gateway-unhealthy",
            f"the gateway answers and reports that it is not healthy ({exchange.excerpt})",
            "its billing routes fail",
            "read the gateway's log; usually its own database is down",
        )
    return None


def _page(survey: PublicSurvey, exchange: Exchange) -> Told | None:
    if exchange.status != 200 or exchange.media_type != "text/html" or "env-config.js" not in exchange.body:
        return _other_service(exchange, "the front's page, which loads env-config.js")
    return None


def _script(survey: PublicSurvey, exchange: Exchange) -> Told | None:
    if exchange.status != 200 or "javascript" not in exchange.media_type:
        return _other_service(exchange, "env-config.js as JavaScript, which the front writes at every start")
    found = re.search(r"""window\.API_URL\s*=\s*["']([^"']*)["']""", exchange.body)
    given = found[1] if found else ""
    wanted = f"https://{survey.view.hosts[API]}"
    if given == wanted:
        return None
    return (
        "front-api-url",
        f"env-config.js gives browsers {given or 'no address'!r} as the API's address instead of {wanted!r}",
        "the login page loads and nobody can log in: browsers send logins to the wrong address"
        if given
        else "the login page loads and nobody can log in: browsers post to /undefined/graphql on the front, "
        "which answers 405",
        f"set API_URL={wanted} (without a trailing slash) on the front; its image reads no other variable for it",
    )


def _other_service(exchange: Exchange, wanted: str) -> Told:
    return (
        "wrong-service-answers",
        f"expected {wanted}, got: {exchange.excerpt}",
        "the name is routed to the wrong service",
        "check which service the router of this host points to",
    )


_KIND: dict[tuple[str, Request], Callable[[PublicSurvey, Exchange], Told | None]] = {
    (API, HEALTH): _health,
    (FRONT, PAGE): _page,
    (FRONT, SCRIPT): _script,
    (GATEWAY, HEALTH): _gateway_health,
}
