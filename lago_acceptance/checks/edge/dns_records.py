"""Whether every resolver gives the same addresses for a name, and these are the origin's."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.edge.cloudflare import is_cloudflare
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place, errors_among
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import NO_PROXY, TUNNEL
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.dns import KINDS, DnsAnswer, DnsOutcome
from lago_acceptance.probes.failure import SHUT, Failure, Kind
from lago_acceptance.probes.public_endpoints import ONLY_THERE, OTHERS_REACH, SYSTEM
from lago_acceptance.probes.survey import PublicSurvey, proofs


def proxied(survey: PublicSurvey, host: str) -> bool:
    """Whether the name resolves to Cloudflare instead of the origin."""
    return any(is_cloudflare(address) for address in survey.named(host))


# What keeps several checks from being judged, and what helps.
ORIGIN_UNKNOWN, SET_ORIGIN = "the origin's address is not known", "set edge.origin in settings.toml"
CLOSED = "the origin is behind Cloudflare and closed to this machine"
FROM_ELSEWHERE = "run from a machine that may connect to it"


# What an address without TLS is not judged by.
HTTP_ONLY = "no proxy, http only"
NO_ORIGIN = "behind a Cloudflare Tunnel there is no origin to look at"
NOT_IN_DNS = "the host of the URL is an address or a local name, which public DNS does not know"


def must_be_seen(survey: PublicSurvey, role: str) -> PublicUrl:
    """The public URL of a role. Unknown where only the host itself can open it."""
    url = survey.view.urls[role]
    if survey.view.only_on_the_host(url):
        raise Unknown(
            f"what {url} serves: {ONLY_THERE}",
            why=ONLY_THERE,
            fix=OTHERS_REACH,
        )
    return url


def no_origin(survey: PublicSurvey) -> str:
    """Why there is no origin that could be asked, "" where there may be one."""
    return NO_ORIGIN if survey.view.proxy == TUNNEL else ""


def closed_to_us(survey: PublicSurvey, role: str) -> str | None:
    """Why the origin of a role behind Cloudflare can't be seen from here, or None."""
    url, origin = survey.view.urls[role], survey.view.proxy_address
    if origin is None or not proxied(survey, url.host):
        return None
    failure = failure_at(survey, role, origin)
    if failure is None or failure.kind not in SHUT:
        return None
    return f"{failure}; it is behind Cloudflare and may accept no other clients"


def failure_at(survey: PublicSurvey, role: str, address: str) -> Failure | None:
    """Why a role's URL can't be reached at an address: the handshake's failure, by http the first request's."""
    url = survey.view.urls[role]
    if url.scheme == "https":
        return survey.handshakes[(url.place, address)].failure
    return survey.exchanges[(role, address, proofs(survey.view, role)[0])].failure


def addresses(survey: PublicSurvey, role: str) -> tuple[str, ...]:
    """The addresses that a role's host has: its name's, its door, or the origin of a local name. Blocked or Unknown where
    there are none.
    """
    url = must_be_seen(survey, role)
    host = url.host
    if found := survey.named(host) if survey.view.in_dns(url) else survey.everywhere(url):
        return found
    if not survey.view.in_dns(url):
        raise Unknown(
            f"what {url} serves: its address is not known",
            why=no_origin(survey) or ORIGIN_UNKNOWN,
            fix=SET_ORIGIN,
        )
    raise Blocked(errors_among(resolves(survey, role))[0].id, f"what {host} serves through its name")


@registry.check(
    phase=3,
    errors={
        "name-fails": "The DNS servers can resolve the name.",
        "name-dangles": "The name is not an alias (CNAME) for a name without an address.",
        "name-absent": "The name exists in DNS.",
        "name-without-ipv4": "The name has an IPv4 address.",
        "name-without-address": "The name has an address.",
        "name-with-many-addresses": "The name has few enough addresses for each of them to be checked.",
        "resolvers-disagree": "All DNS servers give the same addresses for the name.",
    },
    warnings={"resolver-without-answer": "Every resolver can resolve the name."},
)
def resolves(survey: PublicSurvey, role: str) -> list[Finding]:
    """The name has an IPv4 address, and every resolver gives the same ones."""
    host = _in_dns(survey, role)
    answers = survey.answers_of(host, "A")
    spoke = [each for each in answers if each.spoke]
    mute = [each for each in answers if not each.spoke]
    if not spoke:
        return [_fails_everywhere(role, host, mute)]
    findings = [_no_answer(role, each) for each in mute]
    if not any(each.addresses for each in _public(spoke)):
        findings.append(_no_address(survey, role, _public(spoke)))
    for kind in KINDS:
        findings += _too_many(survey, role, survey.answers_of(host, kind))
        findings += _compared(role, [each for each in survey.answers_of(host, kind) if each.spoke])
    return findings


@registry.check(phase=3, errors={"name-points-elsewhere": "The name resolves to this deployment's host."})
def points_to_the_origin(survey: PublicSurvey, role: str) -> list[Finding]:
    """Every address of the name is the origin's or Cloudflare's, or serves the origin's own certificate."""
    host, origin = _in_dns(survey, role), survey.view.proxy_address
    found = addresses(survey, role)
    others = [each for each in found if each != origin and not is_cloudflare(each)]
    if not others:
        return []
    if origin is None:
        raise Unknown(
            f"whether {', '.join(others)} is the right address of {host}: the origin's address is not known",
            why=no_origin(survey) or ORIGIN_UNKNOWN,
            fix="" if no_origin(survey) else SET_ORIGIN,
        )
    judged = [_elsewhere(survey, role, each, origin) for each in others]
    findings = [each for each in judged if isinstance(each, Finding)]
    unsure = [each for each in judged if isinstance(each, str)]
    if unsure and not findings:
        raise Unknown("; ".join(unsure))
    return findings


def _in_dns(survey: PublicSurvey, role: str) -> str:
    """The host name of a role. Unknown where it is no name that DNS has to know."""
    url = must_be_seen(survey, role)
    if not survey.view.in_dns(url):
        raise Unknown(f"whether DNS has {url.host}: {NOT_IN_DNS}", why=NOT_IN_DNS)
    return url.host


def _fails_everywhere(role: str, host: str, mute: list[DnsAnswer]) -> Finding:
    said = "; ".join(f"{each.resolver}: {each.detail}" for each in mute) or "no resolver was asked"
    if len(mute) < 2 or any(each.outcome is not DnsOutcome.FAILED for each in mute):
        raise Unknown(
            f"whether {host} resolves: no DNS server gave an answer ({said})",
            why=f"no DNS server gave an answer ({said})",
            fix="look at this machine's network; edge.resolvers in settings.toml says which servers are asked",
        )
    return Finding(
        id="name-fails",
        role=role,
        place=Place(host),
        problem=f"every DNS server fails to resolve the name ({said})",
        impact="the name does not resolve, so neither customers nor the CA can reach it",
        fix="check the zone: its name servers must answer for it, and the DS record must match its DNSSEC keys",
    )


def _no_answer(role: str, answer: DnsAnswer) -> Finding:
    return Finding(
        id="resolver-without-answer",
        role=role,
        place=Place(answer.host),
        problem=f"the resolver {answer.resolver} could not resolve the name ({answer.detail}); others could",
        impact="users of that resolver may not reach the name",
        fix="ask it again (dig NAME @RESOLVER); if it keeps failing, check the zone's name servers and DNSSEC",
    )


def _no_address(survey: PublicSurvey, role: str, public: list[DnsAnswer]) -> Finding:
    host = survey.view.hosts[role]
    impact = "browsers and the gateway can't reach it, and no certificate can be issued for it"
    alias = next((each.aliases[-1] for each in public if each.aliases), "")
    if alias:
        problem = f"the name is an alias (CNAME) for {alias}, which has no address"
        fix = f"give {alias} an A record, or point the alias at a name that has one"
        return Finding(
            id="name-dangles", role=role, place=Place(host), problem=problem, impact=impact, fix=fix
        )
    if all(each.outcome is DnsOutcome.ABSENT for each in public):
        id, problem = "name-absent", "the name does not exist in DNS (NXDOMAIN)"
    elif survey.named(host, "AAAA"):
        id, problem = "name-without-ipv4", "the name has only IPv6 addresses (AAAA)"
        impact = "clients with IPv4 only, most customers and the gateway among them, can't reach it"
    else:
        id, problem = "name-without-address", "the name exists in DNS and has no address"
    fix = f"add an A record for {host} with the address of the host that runs {_what_answers(survey)}"
    return Finding(id=id, role=role, place=Place(host), problem=problem, impact=impact, fix=fix)


def _what_answers(survey: PublicSurvey) -> str:
    return "Lago" if survey.view.proxy == NO_PROXY else words(survey.view.proxy).name


def _too_many(survey: PublicSurvey, role: str, answers: tuple[DnsAnswer, ...]) -> Iterator[Finding]:
    largest = max(answers, key=lambda each: each.left_out, default=None)
    if largest and largest.left_out:
        shown = len(largest.addresses)
        yield Finding(
            id="name-with-many-addresses",
            role=role,
            place=Place(largest.host),
            problem=f"the resolver {largest.resolver} gives {shown + largest.left_out} {largest.kind} records for the "
            f"name; only {shown} of them are checked",
            impact="some customers are sent to hosts that were not checked",
            fix=f"remove the records that are not the address of the host that runs {_what_answers(survey)}, and find out who "
            "added them",
        )


def _public(answers: list[DnsAnswer]) -> list[DnsAnswer]:
    """What customers see: a machine's own resolver may have names of its own."""
    return [each for each in answers if each.resolver != SYSTEM] or answers


def _compared(role: str, answers: list[DnsAnswer]) -> Iterator[Finding]:
    if not _differ(answers):
        return
    said = "; ".join(f"{each.resolver}: {', '.join(each.addresses) or each.outcome}" for each in answers)
    only_here = not _differ(_public(answers))
    yield Finding(
        id="resolvers-disagree",
        severity=Severity.WARNING if only_here else Severity.ERROR,
        role=role,
        place=Place(answers[0].host),
        problem=f"DNS servers give different {answers[0].kind} records ({said})",
        impact="this machine sees a different host than customers do"
        if only_here
        else "some customers, or the CA, are sent to another host",
        fix="after a change, wait until the records' TTL has expired; otherwise make the zone's name servers agree",
    )


def _differ(answers: list[DnsAnswer]) -> bool:
    return len({_addresses(each) for each in answers}) > 1


def _addresses(answer: DnsAnswer) -> tuple[str, ...]:
    # Cloudflare hands out any of its own.
    return tuple(sorted({"Cloudflare" if is_cloudflare(each) else each for each in answer.addresses}))


def _elsewhere(survey: PublicSurvey, role: str, address: str, origin: str) -> Finding | str | None:
    """The finding for an address, None where it is the origin's, or why that is not known."""
    host = survey.view.hosts[role]
    failed, own = failure_at(survey, role, address), failure_at(survey, role, origin)
    there, seen = _shown(survey, role, address)
    kind = "AAAA" if ":" in address else "A"
    if failed is None and own is None and there == _shown(survey, role, origin)[0]:
        return None
    if failed and (failed.kind is Kind.NO_ROUTE or _ipv6_may_fail_here(survey, role, address)):
        return f"whether {address} ({kind} of {host}) is the origin: {failed}; IPv6 may not work here"
    if own:
        return f"whether {address} is the right address of {host}: the origin {origin} gave {own}"
    seen = str(failed) if failed else seen
    return Finding(
        id="name-points-elsewhere",
        role=role,
        place=Place(host),
        problem=f"its {kind} record is {address}, which is not the origin {origin} ({seen})",
        impact="clients that use this address do not reach this deployment"
        + (", and browsers prefer IPv6" if kind == "AAAA" else ""),
        fix=f"set the {kind} record to the origin's address"
        + (", or remove it where the origin has no IPv6" if kind == "AAAA" else ""),
    )


def _shown(survey: PublicSurvey, role: str, address: str) -> tuple[object, str]:
    """By what two addresses are known to be one host: the certificate, by http what is served; and its words."""
    url = survey.view.urls[role]
    if url.scheme == "https":
        certificate = survey.handshakes[(url.place, address)].certificate
        return certificate, f"a certificate of {certificate.subject if certificate else 'no subject'}"
    exchange = survey.exchanges[(role, address, proofs(survey.view, role)[0])]
    return (exchange.status, exchange.body), exchange.excerpt


def _ipv6_may_fail_here(survey: PublicSurvey, role: str, address: str) -> bool:
    """Whether silence may be this machine's own: IPv6, and no IPv6 address has answered it."""
    failure = failure_at(survey, role, address)
    if ":" not in address or failure is None or failure.kind is not Kind.UNANSWERED:
        return False
    handshakes = [each for each in survey.handshakes.values() if ":" in each.address]
    exchanges = [each for each in survey.exchanges.values() if ":" in each.address]
    return all(each.failure for each in handshakes) and all(each.failure for each in exchanges)
