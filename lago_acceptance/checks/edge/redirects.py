"""Redirects: http leads to https, at the same host and path, in one step."""

from __future__ import annotations

from urllib.parse import urlsplit

from lago_acceptance.checks.edge import dns_records
from lago_acceptance.checks.edge.http_answers import NO_LOOP, REDIRECTS, finding_at
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import PROOFS, WEB, PublicSurvey, plain

# Not 303, which makes a GET of whatever was sent.
_KEEPING = (301, 302, 307, 308)


def http_leads_to_https(outside: PublicSurvey, role: str) -> list[Finding]:
    """http redirects to https with the same host and path, and that is no redirect again."""
    host = outside.view.hosts[role]
    found = dns_records.addresses(outside, role)
    asked = [each for each in found if ":" not in each] or found
    findings = []
    for address in asked:
        exchange = outside.exchanges[(host, address, plain(role))]
        if exchange.failure and exchange.failure.kind is Kind.NO_ROUTE:
            raise Unknown(f"whether http://{host} redirects: {exchange.failure}")
        findings += _redirect(outside, role, exchange)
    return findings


def _redirect(outside: PublicSurvey, role: str, exchange: Exchange) -> list[Finding]:
    host, path = outside.view.hosts[role], plain(role).path
    target = exchange.headers.get("location", "")
    fix = (
        "give the host a router on the http entrypoint with a redirectscheme middleware (scheme https); "
        "Dokploy's entrypoints redirect nothing by themselves"
    )
    if exchange.failure:
        told = (
            "http-unanswered",
            f"port {WEB} does not answer: {exchange.failure}",
            "who types the bare name gets nothing, and HTTP-01 can't renew the certificate",
            "publish port 80 of Traefik on the host and let it through the firewall",
        )
    elif exchange.status not in _KEEPING:
        told = (
            "http-not-redirected",
            f"http is not redirected to https ({exchange.excerpt})",
            "passwords and keys go over the wire in clear, or nothing answers there",
            fix,
        )
    elif not impact(target, host, path):
        told = (
            "http-redirect-wrong",
            f"http redirects to {target[:200] or 'nowhere'}, not to https://{host}{path}",
            "links break, and a redirect back to http never ends",
            fix,
        )
    else:
        return _chain(outside, role, exchange)
    return [finding_at(role, exchange, *told)]


def impact(target: str, host: str, path: str) -> bool:
    """Whether a redirect's target is a path of a host over https."""
    try:
        parts = urlsplit(target)
        return (parts.scheme, parts.hostname, parts.port or 443, parts.path) == ("https", host, 443, path)
    except ValueError:
        return False


def _chain(outside: PublicSurvey, role: str, exchange: Exchange) -> list[Finding]:
    host = outside.view.hosts[role]
    after = outside.exchanges[(host, exchange.address, PROOFS[role][-1])]
    if after.status not in REDIRECTS:
        return []
    target = after.headers.get("location", "nowhere")
    told = (
        "redirect-loop",
        f"http redirects to https, and https redirects again, to {target[:200]}",
        "browsers stop with 'too many redirects'",
        NO_LOOP,
    )
    return [finding_at(role, exchange, *told)]
