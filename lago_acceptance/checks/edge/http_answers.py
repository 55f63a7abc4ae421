"""What each public host serves: through its name, and straight at the origin.

A status says little: Lago's front answers 200 with HTML to any path (docs/lago-facts.md, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable

from lago_acceptance.checks.edge import certificates, dns_records
from lago_acceptance.checks.edge.bodies import BODIES, Defect, by_the_proxy, redirected
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place, errors_among
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import PublicSurvey, Request, address_of, proofs


@registry.check(
    phase=3,
    errors={
        "host-unanswered": "The host answers on the port of its URL.",
        "service-unanswered": "The service behind the proxy answers.",
        "cloudflare-cannot-reach-origin": "Cloudflare reaches the origin.",
        "proxy-answers-itself": "The service itself answers, not the proxy with an error of its own.",
        "https-redirects": "The URL of a service does not redirect.",
        "wrong-service-answers": "The name serves what belongs there, not another service.",
    },
)
def through_the_name(survey: PublicSurvey, role: str) -> list[Finding]:
    """At every address of the name, the URL serves what belongs there.

    A status alone proves nothing: Lago's front answers 200 with HTML to any path.
    """
    host = survey.view.hosts[role]
    found = dns_records.addresses(survey, role)
    first = proofs(survey.view, role)[0]
    failed = [survey.exchanges[(role, each, first)].failure for each in found]
    reachable = [
        address
        for address, failure in zip(found, failed, strict=True)
        if not (failure and failure.kind is Kind.NO_ROUTE)
    ]
    if not reachable:
        raise Unknown(
            f"what {host} serves at {', '.join(found)}: {failed[0]}",
            why=str(failed[0]),
            fix=dns_records.FROM_ELSEWHERE,
        )
    # IPv6 addresses are judged with the DNS records, for their silence may be this machine's own.
    chosen = [each for each in reachable if ":" not in each] or reachable
    return _at(survey, role, chosen)


def straight_to_the_origin(survey: PublicSurvey, role: str) -> list[Finding]:
    """At the origin's address, asked by the name (SNI and Host), the URL serves what belongs there."""
    url, origin = dns_records.must_be_seen(survey, role), survey.view.proxy_address
    host = url.host
    if survey.view.door(url):
        return through_the_name(survey, role)
    if why := dns_records.no_origin(survey):
        raise Unknown(f"what {host} serves at the origin: {why}", why=why)
    if origin is None:
        raise Unknown(
            f"what {host} serves at the origin: its address is not known",
            why=dns_records.ORIGIN_UNKNOWN,
            fix=dns_records.SET_ORIGIN,
        )
    failure = survey.exchanges[(role, origin, proofs(survey.view, role)[0])].failure
    if failure and failure.kind is Kind.NO_ROUTE:
        raise Unknown(
            f"what {host} serves at the origin {origin}: {failure}",
            why=str(failure),
            fix=dns_records.FROM_ELSEWHERE,
        )
    if shut := dns_records.closed_to_us(survey, role):
        raise Unknown(
            f"what {host} serves at the origin {origin}: {shut}",
            why=dns_records.CLOSED,
            fix=dns_records.FROM_ELSEWHERE,
        )
    return _at(survey, role, [origin])


def lago_answers(survey: PublicSurvey, role: str) -> str:
    """An address at which the role's own service answers. Blocked where none does."""
    url = survey.view.urls[role]
    for address in survey.everywhere(url):
        if not _judged(survey, role, address, proofs(survey.view, role)[0]):
            return address
    errors = through_the_name(survey, role)
    raise Blocked(errors[0].id if errors else "host-unanswered", f"what else {url.host} answers")


def lago_exchange(survey: PublicSurvey, role: str, request: Request) -> Exchange:
    """Lago's answer to a request. Blocked where something else answers, Unknown where none came."""
    answering = lago_answers(survey, role)
    asked = [each for key, each in survey.exchanges.items() if key[0] == role and key[2] == request]
    # Where browsers reach the API may be another host than the API's own.
    asked.sort(key=lambda each: (each.address != answering, each.failure is not None))
    if not asked:
        url = address_of(survey.view, role, request)
        raise Unknown(f"what {url} answers: its address is not known", why=dns_records.ORIGIN_UNKNOWN)
    exchange = asked[0]
    if exchange.failure:
        raise Unknown(
            f"{request.method} {exchange.url}: {exchange.failure}", why=str(exchange.failure), fix="run again"
        )
    return exchange


def in_the_way(survey: PublicSurvey, role: str) -> str:
    """The id of the finding that says why a role's name does not give its service, "" where there is none."""
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
        for request in proofs(survey.view, role)
        for each in _judged(survey, role, address, request)
    ]
    return list({each.id: each for each in reversed(findings)}.values())[::-1]


def _judged(survey: PublicSurvey, role: str, address: str, request: Request) -> list[Finding]:
    exchange = survey.exchanges[(role, address, request)]
    if exchange.failure and exchange.failure.kind is Kind.CERTIFICATE:
        raise Blocked(certificates.blocker(survey, role), f"what {exchange.url} serves")
    common = (
        _unanswered(survey, role, exchange) or by_the_proxy(survey, exchange) or redirected(survey, exchange)
    )
    finding = common or BODIES[(role, request)](survey, exchange)
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


def _unanswered(survey: PublicSurvey, role: str, exchange: Exchange) -> Defect | None:
    if not exchange.failure:
        return None
    proxy = words(survey.view.proxy)
    if survey.accepts(survey.view.urls[role], exchange.address):
        return (
            "service-unanswered",
            f"{proxy.name} accepts the connection, and the service behind it does not answer, asked twice: {exchange.failure}",
            "browsers hang, and clients of the API get no answer",
            "see what the service waits for (docker logs --since 10m of its container) and what takes the processors "
            "(docker stats --no-stream)",
        )
    return (
        "host-unanswered",
        f"nothing answers: {exchange.failure}",
        "customers and clients of the API get no answer",
        proxy.publish,
    )
