"""Certificates: trusted, for this host, in date; and no TLS older than 1.2.

Where Cloudflare stands before the host, dates are judged at the origin: Cloudflare sees to its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.edge.certificate_chain import EXPIRED, REFUSED, defect
from lago_acceptance.checks.edge.cloudflare import is_cloudflare
from lago_acceptance.checks.edge.dns_records import (
    CLOSED,
    FROM_ELSEWHERE,
    HTTP_ONLY,
    ORIGIN_UNKNOWN,
    SET_ORIGIN,
    closed_to_us,
    must_be_seen,
    no_origin,
)
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place, errors_among
from lago_acceptance.core.moments import minute
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import TUNNEL, EdgeSettings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.survey import PublicSurvey
from lago_acceptance.probes.tls import Handshake

# Days: certificates that live longer are often renewed by hand.
_RENEWED_BY_ITSELF = 100


@registry.check(
    phase=3,
    errors={
        "certificate-unreadable": "The certificate can be read.",
        "certificate-default": "The proxy serves a certificate of a CA for this host, not one of its own making.",
        "certificate-name": "The certificate names this host.",
        "certificate-self-signed": "The certificate chain does not end in a self-signed certificate.",
        "certificate-chain-incomplete": "The server sends its certificate with the intermediates.",
        "certificate-untrusted": "The certificate chain ends in a trusted root.",
    },
)
def is_trusted(survey: PublicSurvey, role: str) -> list[Finding]:
    """The chain ends in a trusted root, and the certificate names the host and is not of the proxy's own making."""
    return list(_once_each(_trust(survey, role, each) for each in completed(survey, role)))


@registry.check(
    phase=3,
    errors={
        "certificate-not-yet-valid": "The certificate is already valid.",
        "certificate-expired": "The certificate has not expired.",
        "certificate-expires": "The certificate is valid for longer than the limit in settings.toml.",
    },
)
def is_in_date(survey: PublicSurvey, role: str, edge: EdgeSettings) -> list[Finding]:
    """The certificate is valid now and for long enough.

    ``edge.certificate_warning_days`` and ``edge.certificate_error_days`` in settings.toml say how long, but not more than a
    third and a sixth of the certificate's own lifetime: one of six days is renewed when two are left. Of a lifetime of up to 100
    days, as ACME's have, a third decides about the warning, with a day's grace.
    """
    if errors := errors_among(is_trusted(survey, role)):
        raise Blocked(errors[0].id, f"how long the certificate of {survey.view.hosts[role]} is valid")
    judged = [each for each in completed(survey, role) if not is_cloudflare(each.address)]
    if not judged:
        raise Unknown(
            f"how long the certificate of {survey.view.hosts[role]} is valid at the origin, whose address "
            "is not known: the name resolves to Cloudflare, which has its own certificates",
            why=no_origin(survey) or ORIGIN_UNKNOWN,
            fix="" if no_origin(survey) else SET_ORIGIN,
        )
    return list(_once_each(_dates(survey, role, each, edge) for each in judged))


@registry.check(phase=3, errors={"tls-too-old": "No TLS version older than 1.2 is accepted."})
def is_modern(survey: PublicSurvey, role: str) -> list[Finding]:
    """Nothing older than TLS 1.2 is accepted."""
    url = _by_https(survey, role)
    judged = [survey.old_handshakes[(url.place, address)] for address in survey.everywhere(url)]
    findings = list(_once_each(_old(survey, role, each) for each in judged))
    if findings:
        return findings
    for handshake in completed(survey, role):
        refused = survey.old_handshakes[(url.place, handshake.address)].failure
        if refused and refused.kind in (Kind.UNANSWERED, Kind.NO_ROUTE):
            raise Unknown(
                f"whether {handshake.address} refuses TLS 1.1: {refused}", why=str(refused), fix="run again"
            )
    return []


def blocker(survey: PublicSurvey, role: str) -> str:
    """The id of the finding because of which nothing can be read through TLS."""
    errors = errors_among(is_trusted(survey, role))
    return errors[0].id if errors else "certificate-untrusted"


def completed(survey: PublicSurvey, role: str) -> list[Handshake]:
    """The handshakes that completed. Unknown where the origin refuses everybody but Cloudflare, Blocked where none did."""
    url = _by_https(survey, role)
    host = url.host
    made = [survey.handshakes[(url.place, address)] for address in survey.everywhere(url)]
    done = [each for each in made if each.failure is None]
    if shut := closed_to_us(survey, role):
        raise Unknown(
            f"the certificate of {host} at the origin {survey.view.origin}: {shut}",
            why=CLOSED,
            fix=FROM_ELSEWHERE,
        )
    if not made:
        raise Unknown(
            f"the certificate of {host}: the host has no known address", why=ORIGIN_UNKNOWN, fix=SET_ORIGIN
        )
    if not done and all(each.failure and each.failure.kind is Kind.NO_ROUTE for each in made):
        raise Unknown(
            f"the certificate of {host}: {made[0].failure}", why=str(made[0].failure), fix=FROM_ELSEWHERE
        )
    if not done:
        raise Blocked("host-unanswered", f"the certificate of {host}")
    return done


def _by_https(survey: PublicSurvey, role: str) -> PublicUrl:
    """The URL of a role that has a certificate. Unknown where it is http."""
    url = must_be_seen(survey, role)
    if url.scheme != "https":
        raise Unknown(f"the certificate of {url.place}: {HTTP_ONLY}", why=HTTP_ONLY)
    return url


def _once_each(findings: Iterator[Finding | None]) -> Iterator[Finding]:
    seen: set[str] = set()
    for finding in findings:
        if finding and finding.problem not in seen:
            seen.add(finding.problem)
            yield finding


def _finding(
    role: str,
    handshake: Handshake,
    id: str,
    problem: str,
    impact: str,
    fix: str,
    severity: Severity = Severity.ERROR,
) -> Finding:
    return Finding(
        id=id,
        role=role,
        place=Place(handshake.host),
        problem=problem,
        impact=impact,
        fix=fix,
        severity=severity,
    )


def _trust(survey: PublicSurvey, role: str, handshake: Handshake) -> Finding | None:
    found = defect(handshake, survey.view.proxy)
    return _finding(role, handshake, *found) if found else None


def _dates(survey: PublicSurvey, role: str, handshake: Handshake, edge: EdgeSettings) -> Finding | None:
    certificate, now, proxy = handshake.chain[0], survey.now, words(survey.view.proxy)
    days = certificate.days_left(now)
    if certificate.not_before > now:
        return _finding(
            role,
            handshake,
            "certificate-not-yet-valid",
            f"the certificate is not valid before {minute(certificate.not_before)}",
            REFUSED,
            "check the clocks of the host, of this machine, and of the CA",
        )
    if days <= 0 or EXPIRED in [number for number, _ in handshake.problems]:
        which = "the certificate" if days <= 0 else "a CA certificate in the chain"
        when = f" on {minute(certificate.not_after)}" if days <= 0 else ""
        return _finding(
            role,
            handshake,
            "certificate-expired",
            f"{which} expired{when}",
            REFUSED,
            f"have it renewed: {proxy.certificate}",
        )
    lifetime = (certificate.not_after - certificate.not_before) / 86400
    if days >= _warning_days(lifetime, edge):
        return None
    return _finding(
        role,
        handshake,
        "certificate-expires",
        f"the certificate expires in {days:.1f} days, on {minute(certificate.not_after)}, of {lifetime:.0f} days in all: "
        "renewal is overdue",
        f"after that, {REFUSED}",
        proxy.certificate,
        Severity.ERROR if days < min(edge.certificate_error_days, lifetime / 6) else Severity.WARNING,
    )


def _warning_days(lifetime: float, edge: EdgeSettings) -> float:
    """Days before its end from which on a certificate of so many days should have been renewed."""
    # Clients of ACME renew when a third is left, and look once a day.
    overdue = lifetime / 3 - min(1.0, lifetime / 30)
    return overdue if lifetime <= _RENEWED_BY_ITSELF else min(edge.certificate_warning_days, overdue)


def _old(survey: PublicSurvey, role: str, handshake: Handshake) -> Finding | None:
    if handshake.failure:
        return None
    where = words(TUNNEL if is_cloudflare(handshake.address) else survey.view.proxy).modern
    return _finding(
        role,
        handshake,
        "tls-too-old",
        f"{handshake.version} is accepted",
        "connections are open to known attacks, and payment audits fail",
        where,
    )
