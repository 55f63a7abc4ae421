"""Whether http redirects to https: same host, same path, in one step."""

from __future__ import annotations

from urllib.parse import urlsplit

from lago_acceptance.checks.edge import dns_records
from lago_acceptance.checks.edge.bodies import REDIRECTS, no_loop
from lago_acceptance.checks.edge.http_answers import finding_at
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import SECURE, WEB, PublicSurvey, address_of, plain, proofs, redirects

OTHER_PORT = "https is on a port other than 443, so no redirect on port 80 is expected"
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
    url = dns_records.must_be_seen(survey, role)
    host = url.host
    if url.scheme != "https":
        raise Unknown(f"whether http://{host} redirects: {dns_records.HTTP_ONLY}", why=dns_records.HTTP_ONLY)
    if not redirects(url) or survey.view.door(url) not in (None, (host, url.port)):
        raise Unknown(f"whether http redirects to {url}: {OTHER_PORT}", why=OTHER_PORT)
    found = dns_records.addresses(survey, role)
    asked = [each for each in found if ":" not in each] or found
    findings = []
    for address in asked:
        exchange = survey.exchanges[(role, address, plain(survey.view, role))]
        if exchange.failure and exchange.failure.kind is Kind.NO_ROUTE:
            raise Unknown(
                f"whether http://{host} redirects: {exchange.failure}",
                why=str(exchange.failure),
                fix=dns_records.FROM_ELSEWHERE,
            )
        findings += _redirect(survey, role, exchange)
    return findings


def _redirect(survey: PublicSurvey, role: str, exchange: Exchange) -> list[Finding]:
    asked = address_of(survey.view, role, plain(survey.view, role))
    host, path = asked.host, asked.path
    target = exchange.headers.get("location", "")
    fix = words(survey.view.proxy).redirect
    if exchange.failure:
        defect = (
            "http-unanswered",
            f"port {WEB} does not answer: {exchange.failure}",
            "whoever types the bare name gets no answer, and HTTP-01 can't renew the certificate",
            words(survey.view.proxy).publish,
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
            f"http redirects to {target[:200] or 'nowhere'}, not to {PublicUrl('https', host, SECURE, path)}",
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
    after = survey.exchanges[(role, exchange.address, proofs(survey.view, role)[-1])]
    if after.status not in REDIRECTS:
        return []
    target = after.headers.get("location", "nowhere")
    defect = (
        "redirect-loop",
        f"http redirects to https, and https redirects again, to {target[:200]}",
        "browsers stop with 'too many redirects'",
        no_loop(survey),
    )
    return [finding_at(role, exchange, *defect)]
