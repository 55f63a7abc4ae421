"""DNS: every kind of answer is recognized, and none is mistaken for another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from lago_acceptance.checks.edge import dns_records
from lago_acceptance.core.findings import Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.dns import DEADLINE, DnsAnswer, DnsOutcome, ask
from lago_acceptance.probes.failure import Failure, Kind
from lago_acceptance.probes.public_endpoints import PublicEndpoints, Resolver
from lago_acceptance.probes.survey import PublicSurvey
from lago_acceptance.probes.tls import Certificate, Handshake
from tests.support.edge_servers import SILENCE, Dns
from tests.support.endpoints import urls
from tests.support.patience import PATIENCE

HOST = "api.lago.test"


@pytest.fixture
def server() -> Iterator[Dns]:
    server = Dns()
    yield server
    server.close()


def asked(server: Dns, kind: str = "A", deadline: float = PATIENCE) -> DnsAnswer:
    return asyncio.run(ask(HOST, kind, Resolver("local", server.address, server.port), deadline))


def test_addresses_of_both_kinds_are_told(server: Dns):
    server.zone = {(HOST, "A"): ["192.0.2.2", "192.0.2.1"], (HOST, "AAAA"): ["2001:db8::1"]}
    assert asked(server).addresses == ("192.0.2.1", "192.0.2.2")
    assert asked(server, "AAAA").addresses == ("2001:db8::1",)


def test_a_chain_of_aliases_is_told_with_its_end(server: Dns):
    server.zone = {
        (HOST, "A"): ("CNAME", "one.test"),
        ("one.test", "A"): ("CNAME", "two.test"),
        ("two.test", "A"): ["192.0.2.9"],
    }
    answer = asked(server)
    assert (answer.aliases, answer.addresses) == (("one.test", "two.test"), ("192.0.2.9",))


@pytest.mark.parametrize(
    ("said", "outcome", "detail"),
    [
        ([], DnsOutcome.EMPTY, ""),
        ("NXDOMAIN", DnsOutcome.ABSENT, "NXDOMAIN"),
        (("CNAME", "gone.test"), DnsOutcome.ABSENT, "NXDOMAIN"),
        ("SERVFAIL", DnsOutcome.FAILED, "SERVFAIL"),
        ("REFUSED", DnsOutcome.FAILED, "REFUSED"),
    ],
)
def test_what_is_no_address_is_told_apart(server: Dns, said, outcome: DnsOutcome, detail: str):
    server.zone = {(HOST, "A"): said}
    answer = asked(server)
    assert (answer.outcome, answer.detail, answer.addresses) == (outcome, detail, ())


def test_silence_ends_at_the_deadline(server: Dns):
    server.zone = {(HOST, "A"): SILENCE}
    started = time.monotonic()
    answer = asked(server, deadline=0.4)
    assert answer.outcome is DnsOutcome.UNANSWERED
    assert 0.3 < time.monotonic() - started < PATIENCE


def test_one_lost_packet_does_not_decide(server: Dns):
    server.zone, server.lost = {(HOST, "A"): ["192.0.2.1"]}, 1
    assert asked(server, deadline=DEADLINE).addresses == ("192.0.2.1",)


def test_a_name_that_dns_can_not_carry_is_no_traceback(server: Dns):
    answer = asyncio.run(ask("x" * 70 + ".test", "A", Resolver("local", server.address, server.port), 1.0))
    assert answer.outcome is DnsOutcome.FAILED


# --- judgement, on what the probe tells ---


def told(said: str | list[str], resolver: str, kind: str = "A", aliases: tuple[str, ...] = ()) -> DnsAnswer:
    if isinstance(said, list):
        outcome = DnsOutcome.ANSWERED if said else DnsOutcome.EMPTY
        return DnsAnswer(
            host=HOST, kind=kind, resolver=resolver, outcome=outcome, addresses=tuple(said), aliases=aliases
        )
    return DnsAnswer(
        host=HOST, kind=kind, resolver=resolver, outcome=DnsOutcome(said), detail=said, aliases=aliases
    )


def outside(*answers: DnsAnswer, origin: str | None = "192.0.2.1") -> PublicSurvey:
    """What is seen; every address presents the same certificate."""
    addresses = {address for answer in answers for address in answer.addresses} | (
        {origin} if origin else set()
    )
    view = PublicEndpoints(urls=urls({"api": HOST}), resolvers=(), origin=origin)
    return PublicSurvey(
        view=view, now=0, answers=answers, handshakes={(HOST, each): shook(each, "1") for each in addresses}
    )


def shook(address: str, serial: str, failure: Failure | None = None) -> Handshake:
    certificate = Certificate(
        subject=f"CN={serial}", issuer="", serial=serial, names=(HOST,), not_before=0, not_after=9e9
    )
    return Handshake(
        host=HOST, address=address, failure=failure, chain=() if failure else (certificate,), names_host=True
    )


def ids(findings) -> list[tuple[str, str]]:
    return [(each.id, each.severity.value) for each in findings]


def test_one_address_from_everybody_is_right():
    seen = outside(*(told(["192.0.2.1"], each) for each in ("system", "first", "second")))
    assert dns_records.resolves(seen, "api") == []
    assert dns_records.points_to_the_origin(seen, "api") == []


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([told("absent", "first"), told("absent", "second")], [("name-absent", "error")]),
        ([told([], "first"), told([], "second")], [("name-without-address", "error")]),
        ([told([], "first"), told(["2001:db8::1"], "first", "AAAA")], [("name-without-ipv4", "error")]),
        ([told("absent", "first", aliases=("gone.test",))], [("name-dangles", "error")]),
        ([told("failed", "first"), told("failed", "second")], [("name-fails", "error")]),
        ([told(["192.0.2.1"], "first"), told(["192.0.2.7"], "second")], [("resolvers-disagree", "error")]),
        ([told(["192.0.2.1"], "first"), told("absent", "second")], [("resolvers-disagree", "error")]),
        ([told(["10.0.0.1"], "system"), told(["192.0.2.1"], "first")], [("resolvers-disagree", "warning")]),
        (
            [told(["192.0.2.1"], "first"), told("unanswered", "second")],
            [("resolver-without-answer", "warning")],
        ),
        ([told(["192.0.2.1"], "first"), told("failed", "second")], [("resolver-without-answer", "warning")]),
        ([told(["104.16.0.1"], "first"), told(["104.16.9.9"], "second")], []),
    ],
)
def test_each_answer_has_its_own_finding(answers: list[DnsAnswer], expected: list[tuple[str, str]]):
    assert ids(dns_records.resolves(outside(*answers), "api")) == expected


@pytest.mark.parametrize("said", [("unanswered", "unanswered"), ("unanswered", "failed"), ("failed",)])
def test_when_no_resolver_can_tell_nothing_is_said(said: tuple[str, ...]):
    seen = outside(*(told(each, f"resolver {number}") for number, each in enumerate(said)))
    with pytest.raises(Unknown, match="no DNS server gave an answer"):
        dns_records.resolves(seen, "api")
    with pytest.raises(Unknown):
        dns_records.addresses(seen, "api")


def test_what_needs_an_address_is_blocked_by_the_name():
    with pytest.raises(Blocked) as blocked:
        dns_records.addresses(outside(told("absent", "first")), "api")
    assert blocked.value.by == "name-absent"


def with_handshakes(seen: PublicSurvey, *handshakes: Handshake) -> PublicSurvey:
    seen.handshakes.update({(HOST, each.address): each for each in handshakes})
    return seen


def test_another_address_with_the_origins_certificate_is_the_origin():
    seen = outside(told(["192.0.2.1"], "first"), told(["2001:db8::1"], "first", "AAAA"))
    assert dns_records.points_to_the_origin(seen, "api") == []


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.CLOSED, Kind.TLS])
def test_an_ipv6_address_that_leads_nowhere_is_red(kind: Kind):
    seen = outside(told(["192.0.2.1"], "first"), told(["2001:db8::1"], "first", "AAAA"))
    (finding,) = dns_records.points_to_the_origin(
        with_handshakes(seen, shook("2001:db8::1", "", Failure(kind, "no"))), "api"
    )
    assert finding.id == "name-points-elsewhere"
    assert "remove it where the origin has no IPv6" in finding.fix


@pytest.mark.parametrize("kind", [Kind.NO_ROUTE, Kind.UNANSWERED])
def test_silence_over_ipv6_may_be_this_machines_own(kind: Kind):
    seen = outside(told(["192.0.2.1"], "first"), told(["2001:db8::1"], "first", "AAAA"))
    with pytest.raises(Unknown, match="IPv6 may not work here"):
        dns_records.points_to_the_origin(
            with_handshakes(seen, shook("2001:db8::1", "", Failure(kind, "no"))), "api"
        )


def test_silence_over_ipv6_is_red_where_ipv6_works():
    seen = outside(told(["192.0.2.1"], "first"), told(["2001:db8::1", "2001:db8::2"], "first", "AAAA"))
    silent = shook("2001:db8::1", "", Failure(Kind.UNANSWERED, "no answer within 5 s"))
    assert ids(dns_records.points_to_the_origin(with_handshakes(seen, silent), "api")) == [
        ("name-points-elsewhere", Severity.ERROR)
    ]


def test_an_address_with_another_certificate_is_not_the_origin():
    seen = with_handshakes(outside(told(["192.0.2.7"], "first")), shook("192.0.2.7", "2"))
    assert ids(dns_records.points_to_the_origin(seen, "api")) == [("name-points-elsewhere", "error")]


def test_cloudflares_addresses_are_by_design():
    seen = outside(told(["104.16.0.1"], "first"), told(["2606:4700::1"], "first", "AAAA"))
    assert dns_records.points_to_the_origin(seen, "api") == []


def test_without_the_origins_address_nothing_is_said_of_another():
    with pytest.raises(Unknown, match="the origin's address is not known"):
        dns_records.points_to_the_origin(outside(told(["192.0.2.7"], "first"), origin=None), "api")


def test_an_origin_that_is_closed_to_us_is_no_measure():
    seen = with_handshakes(
        outside(told(["192.0.2.7"], "first")),
        shook("192.0.2.1", "", Failure(Kind.UNANSWERED, "no answer within 5 s")),
    )
    with pytest.raises(Unknown, match="the origin 192.0.2.1 gave no answer"):
        dns_records.points_to_the_origin(seen, "api")
