"""DNS servers and names that mean harm: data in bounded time, and addresses that are better left alone."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_acceptance.checks.edge import certificates, dns_records, http_answers, redirects
from lago_acceptance.core.findings import errors_among
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes import survey as surveys
from lago_acceptance.probes.addresses import may_be_contacted
from lago_acceptance.probes.dns import MOST, DnsAnswer, DnsOutcome, ask
from lago_acceptance.probes.public_endpoints import SYSTEM, PublicEndpoints, Resolver
from tests.support.edge_servers import Dns, free_port
from tests.support.endpoints import urls

HOST = "api.lago.test"
Reply = Callable[[bytes], list[bytes]]


def pair() -> tuple[socket.socket, socket.socket]:
    """Sockets for TCP and UDP with the same port."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            # Something else has this port for UDP.
            tcp.close()
            udp.close()
        else:
            return tcp, udp


@contextmanager
def replying(by_udp: Reply, by_tcp: Callable[[socket.socket], None] | None = None) -> Iterator[Resolver]:
    """A DNS server on UDP and TCP that replies with any bytes."""
    tcp, udp = pair()

    def serve_udp() -> None:
        with suppress(OSError):
            while True:
                asked, sender = udp.recvfrom(4096)
                for part in by_udp(asked):
                    udp.sendto(part, sender)

    def serve_tcp() -> None:
        with suppress(OSError):
            while True:
                client = tcp.accept()[0]
                with client, suppress(OSError):
                    if by_tcp:
                        by_tcp(client)

    for serve in (serve_udp, serve_tcp):
        threading.Thread(target=serve, daemon=True).start()
    try:
        yield Resolver("local", *tcp.getsockname())
    finally:
        tcp.close()
        udp.close()


def answer(asked: bytes, edit: Callable[[dns.message.Message], None]) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(asked))
    reply.flags |= dns.flags.RA
    edit(reply)
    return reply.to_wire(max_size=65535)


def records(*texts: str, name: str = f"{HOST}.", kind: str = "A") -> Callable[[dns.message.Message], None]:
    return lambda reply: reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *texts))


def asked(resolver: Resolver, host: str = HOST, deadline: float = 0.4) -> DnsAnswer:
    return asyncio.run(ask(host, "A", resolver, deadline))


def loop_of(reply: dns.message.Message) -> None:
    for one, other in ((HOST, "x.test"), ("x.test", HOST)):
        reply.answer.append(dns.rrset.from_text(f"{one}.", 60, "IN", "CNAME", f"{other}."))


def chain_of(reply: dns.message.Message) -> None:
    names = [HOST, *(f"x{number}.test" for number in range(200))]
    for one, other in itertools.pairwise(names):
        reply.answer.append(dns.rrset.from_text(f"{one}.", 60, "IN", "CNAME", f"{other}."))


def truncated(reply: dns.message.Message) -> None:
    reply.flags |= dns.flags.TC


REPLIES: dict[str, Reply] = {
    "nothing at all": lambda wire: [b""],
    "half a header": lambda wire: [wire[:5]],
    "the question": lambda wire: [wire],
    "another id": lambda wire: [b"\0\0" + answer(wire, records("192.0.2.1"))[2:]],
    "another name": lambda wire: [answer(wire, records("192.0.2.1", name="other.test."))],
    "a loop of aliases": lambda wire: [answer(wire, loop_of)],
    "a chain of aliases": lambda wire: [answer(wire, chain_of)],
    "an address of two bytes": lambda wire: [
        answer(wire, records("192.0.2.1")).replace(b"\0\x04\xc0\0\x02\x01", b"\0\x02\xc0\0")
    ],
    "a pointer to itself": lambda wire: [
        wire[:2]
        + b"\x81\x80\0\x01\0\x01\0\0\0\0"
        + wire[12:]
        + b"\xc0\xff" * 3
        + b"\0\x01\0\x01\0\0\0\x3c\0\x04\1\2\3\4"
    ],
    "many replies": lambda wire: [b"\0" * 12] * 500,
}


@pytest.mark.parametrize("name", REPLIES)
def test_no_reply_breaks_the_question(name):
    with replying(REPLIES[name]) as resolver:
        assert asked(resolver).addresses == ()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=100), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
def test_no_bytes_break_the_question(tail, changes):
    def reply(wire: bytes) -> list[bytes]:
        found = bytearray(answer(wire, records("192.0.2.1")) + tail)
        for place, value in changes:
            found[2 + place % (len(found) - 2)] = value
        return [bytes(found)]

    with replying(reply) as resolver:
        assert isinstance(asked(resolver, deadline=0.05).outcome, DnsOutcome)


def test_an_answer_by_tcp_that_never_ends_is_unanswered():
    def endless(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(b"\xff\xff")
        while True:
            client.sendall(b"\0")
            threading.Event().wait(0.05)

    with replying(lambda wire: [answer(wire, truncated)], endless) as resolver:
        assert asked(resolver).outcome is DnsOutcome.UNANSWERED


def test_thousands_of_addresses_are_counted_and_few_are_kept():
    def many(client: socket.socket) -> None:
        wire = client.recv(4096)[2:]
        found = answer(wire, records(*(f"198.51.{number // 256}.{number % 256}" for number in range(4000))))
        client.sendall(len(found).to_bytes(2, "big") + found)

    with replying(lambda wire: [answer(wire, truncated)], many) as resolver:
        found = asked(resolver, deadline=20)
    assert (len(found.addresses), found.left_out) == (MOST, 4000 - MOST)
    view = PublicEndpoints(urls=urls({"api": HOST}), resolvers=(), origin=None)
    look = surveys.PublicSurvey(view=view, now=0, answers=(found,))
    (finding,) = dns_records.resolves(look, "api")
    assert (finding.id, "4000 A records" in finding.problem) == ("name-with-many-addresses", True)


@pytest.mark.parametrize(
    "host", ["a..b", "x" * 70 + ".test", "ü" * 300, "", ".", "a\0b", "*", "\x1b[2J", "a b"]
)
def test_a_name_that_dns_can_not_carry_is_data(host):
    with replying(lambda wire: []) as resolver:
        assert asked(resolver, host, 0.1).addresses == ()
    view = PublicEndpoints(urls={}, resolvers=(Resolver(SYSTEM),), origin="192.0.2.1")
    assert view.pinned(PublicUrl("https", host, 443))[0] in ("", "192.0.2.1")


@pytest.mark.parametrize("address", ["nowhere", "", "300.1.1.1", "::::", "[::1]"])
def test_a_resolver_that_is_no_address_is_data(address):
    assert asked(Resolver("wrong", address or "x")).outcome in (DnsOutcome.FAILED, DnsOutcome.UNANSWERED)


# --- addresses that are better left alone ---


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", True),
        ("10.0.0.1", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("2606:4700::1", True),
        ("169.254.169.254", False),
        ("::ffff:169.254.169.254", False),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
    ],
)
def test_only_addresses_that_a_host_may_have_are_contacted(address, expected):
    assert may_be_contacted(address) is expected


def test_a_name_that_leads_to_a_metadata_service_is_red_and_nothing_is_sent(monkeypatch):
    connected: list[str] = []
    connect = asyncio.BaseEventLoop.create_connection

    async def noted(loop, factory, host=None, *rest, **more):
        connected.append(host or str(more.get("sock")))
        return await connect(loop, factory, host, *rest, **more)

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", noted)
    server = Dns()
    server.zone = {(HOST, "A"): ["169.254.169.254"]}
    view = PublicEndpoints(
        urls=urls({"api": HOST, "front": HOST}),
        resolvers=(Resolver("local", server.address, server.port),),
        origin="127.0.0.1",
    )
    look = surveys.survey(view, (), free_port(), free_port())
    server.close()
    assert "169.254.169.254" not in connected and "127.0.0.1" in connected
    found = []
    for check in (
        dns_records.points_to_the_origin,
        http_answers.through_the_name,
        redirects.http_redirects_to_https,
        certificates.is_modern,
    ):
        with suppress(Blocked, Unknown):
            found += errors_among(check(look, "api"))
    assert "host-unanswered" in [each.id for each in found]
    assert any("not contacted" in each.problem for each in found)
