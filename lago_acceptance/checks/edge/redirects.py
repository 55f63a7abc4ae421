"""Whether http redirects to https: same host, same path, in one step."""

from __future__ import annotations

from urllib.parse import urlsplit

from lago_acceptance.checks.edge import dns_records
from lago_acceptance.checks.edge.bodies import NO_LOOP, REDIRECTS
from lago_acceptance.checks.edge.http_answers import finding_at
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import PROOFS, WEB, PublicSurvey, plain

# Not 303, which makes a GET of whatever was sent.
_KEEPING = (301, 302, 307, 308)


@registry.check(
    phase=3,
    errors={
        "http-unanswered": "Port 80 answers.",
        "http-redirect-wrong": "http redirects to https, with the same host and path.",
        "redirect-loop": "https does not redirect again.",
    },
)
def http_redirects_to_https(survey: PublicSurvey, role: str) -> list[Finding]:
    """http redirects to https with the same host and path, and https does not redirect again."""
    host = survey.view.hosts[role]
    found = dns_records.addresses(survey, role)
    asked = [each for each in found if ":" not in each] or found
    findings = []
    for address in asked:
        exchange = survey.exchanges[(host, address, plain(role))]
        if exchange.failure and exchange.failure.kind is Kind.NO_ROUTE:
            raise Unknown(
                f"whether http://{host} redirects: {exchange.failure}",
                why=str(exchange.failure),
                fix=dns_records.FROM_ELSEWHERE,
            )
        findings += _redirect(survey, role, exchange)
    return findings


def _redirect(survey: PublicSurvey, role: str, exchange: Exchange) -> list[Finding]:
    host, path = survey.view.hosts[role], plain(role).path
    target = exchange.headers.get("location", "")
    fix = (
        "give the host a router on the http entrypoint with a redirectscheme middleware (scheme https); "
        "Dokploy's entrypoints do not redirect by themselves"
    )
    if exchange.failure:
        defect = (
            "http-unanswered",
            f"port {WEB} does not answer: {exchange.failure}",
            "whoever types the bare name gets no answer, and HTTP-01 can't renew the certificate",
            "publish Traefik's port 80 on the host and open it in the firewall",
        )
    elif exchange.status not in _KEEPING:
        defect = (
            "http-not-redirected",
            f"http is not redirected to https ({exchange.excerpt})",
            "passwords and keys are sent in clear text, or requests get no answer there",
            fix,
        )
    elif not is_https_url_of(target, host, path):
        defect = (
            "http-redirect-wrong",
            f"http redirects to {target[:200] or 'nowhere'}, not to https://{host}{path}",
            "links break, or browsers are redirected endlessly",
            fix,
        )
    else:
        return _chain(survey, role, exchange)
    return [finding_at(role, exchange, *defect)]


def is_https_url_of(target: str, host: str, path: str) -> bool:
    """Whether a redirect's target is this path of this host over https."""
    try:
        parts = urlsplit(target)
        return (parts.scheme, parts.hostname, parts.port or 443, parts.path) == ("https", host, 443, path)
    except ValueError:
        return False


def _chain(survey: PublicSurvey, role: str, exchange: Exchange) -> list[Finding]:
    host = survey.view.hosts[role]
    after = survey.exchanges[(host, exchange.address, PROOFS[role][-1])]
    if after.status not in REDIRECTS:
        return []
    target = after.headers.get("location", "nowhere")
    defect = (
        "redirect-loop",
        f"http redirects to https, and https redirects again, to {target[:200]}",
        "browsers stop with 'too many redirects'",
        NO_LOOP,
    )
    return [finding_at(role, exchange, *defect)]
