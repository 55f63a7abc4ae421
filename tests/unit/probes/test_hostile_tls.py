"""Certificates and handshakes that somebody made up: data with a finding, whatever is in them."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import time
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import crypto

from lago_acceptance.checks.edge import certificates
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.probes import tls
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.tls import Handshake, TlsProber
from tests.support.edge_servers import raw_server
from tests.support.hostile_servers import ENDLESS, GARBAGE, dripping, flooding
from tests.support.patience import PATIENCE
from tests.unit.probes.test_tls import ADDRESS, EDGE, HOST, ids, look_of

KEY = ec.generate_private_key(ec.SECP256R1())
SAN = x509.ObjectIdentifier("2.5.29.17")


def sequence(content: bytes) -> bytes:
    """Content as a SEQUENCE in DER."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return b"\x30" + length + content


def named(*names: bytes, tag: int = 0x82) -> bytes:
    """A SAN of these bytes; 0x82 marks a DNS name, 0x87 an address."""
    return sequence(b"".join(bytes([tag, len(name)]) + name for name in names))


def made(names: bytes | None, subject: str = "made up", days: float = 30) -> bytes:
    """A self-signed certificate in DER whose SAN is exactly these bytes."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    builder = x509.CertificateBuilder(
        name, name, KEY.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days)
    )
    if names is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(SAN, names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def served(tmp_path, *chain: bytes) -> Handshake:
    """The handshake with a server that sends these certificates."""
    private = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "server.pem"
    file.write_text(private.decode() + "".join(map(ssl.DER_cert_to_PEM_cert, chain)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    file.unlink()

    def talk(client: socket.socket) -> None:
        context.wrap_socket(client, server_side=True).close()

    return shaken(talk)


def shaken(talk: Callable[[socket.socket], None], deadline: float = PATIENCE) -> Handshake:
    with raw_server(talk) as port:
        return asyncio.run(TlsProber(None).shake(HOST, ADDRESS, port, deadline=deadline))


UNREADABLE = {
    "a name that is no UTF-8": named(b"\xff\xfe.lago.test"),
    "an address of three bytes": named(b"abc", tag=0x87),
    "a name of an unknown kind": sequence(b"\xa3\x02\x05\x00"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_certificate_that_can_not_be_read_is_red(name, tmp_path):
    look = look_of(served(tmp_path, made(UNREADABLE[name])))
    assert ids(certificates.is_trusted(look, "api")) == [("certificate-unreadable", "error")]
    with pytest.raises(Blocked) as blocked:
        certificates.is_in_date(look, "api", EDGE)
    assert blocked.value.by == "certificate-unreadable"


ODD = {
    "any host": named(b"*"),
    "two wildcards": named(b"*.*.test"),
    "a wildcard in the middle": named(b"api.*.test"),
    "no name": named(),
    "an empty name": named(b""),
    "dots": named(b"..", b"."),
    "markup and escapes": named(b"<script>\x1b[2J\n::error::x", b"a\0b.lago.test"),
    "an address": named(b"\x7f\0\0\x01", tag=0x87),
    "no SAN": None,
}


@pytest.mark.parametrize("name", ODD)
def test_names_that_are_no_names_name_no_host(name, tmp_path):
    handshake = served(tmp_path, made(ODD[name]))
    assert not handshake.names_host
    assert ids(certificates.is_trusted(look_of(handshake), "api")) == [("certificate-name", "error")]


def test_a_thousand_names_are_few_in_the_result_and_all_count(tmp_path):
    names = named(*(f"x{number}.test".encode() for number in range(1000)), HOST.encode())
    handshake = served(tmp_path, made(names))
    assert handshake.names_host
    assert len(handshake.certificate.names) == 100


def test_a_subject_without_end_is_cut(tmp_path):
    handshake = served(tmp_path, made(None, "x" * 60), *(made(named(b"y" * 120)) for _ in range(50)))
    assert len(handshake.chain) == 51
    assert all(len(each.subject) <= 255 for each in handshake.chain)


def test_a_certificate_of_the_year_9999_is_read(tmp_path):
    handshake = served(tmp_path, made(named(HOST.encode()), days=(9999 - 2030) * 365))
    assert handshake.certificate.days_left(time.time()) > 10**6


def test_an_unreadable_intermediate_does_not_hide_the_rest(tmp_path):
    handshake = served(tmp_path, made(named(HOST.encode())), made(UNREADABLE["a name that is no UTF-8"]))
    assert (handshake.names_host, handshake.chain[1].defect != "") == (True, True)
    (finding,) = certificates.is_trusted(look_of(handshake), "api")
    assert finding.id in ("certificate-self-signed", "certificate-untrusted")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=4),
    st.sampled_from([*UNREADABLE.values(), *ODD.values()]),
)
def test_no_certificate_breaks_the_reader(changes, names):
    der = bytearray(made(names))
    for place, value in changes:
        der[place % len(der)] = value
    try:
        certificate = crypto.load_certificate(crypto.FILETYPE_ASN1, bytes(der))
    except crypto.Error:
        # OpenSSL ends the handshake itself.
        return
    described = tls._described(certificate)
    assert isinstance(tls._is_for(certificate, HOST), bool)
    handshake = Handshake(
        host=HOST, address=ADDRESS, version="TLSv1.3", chain=(described,), problems=((18, 0),)
    )
    for check in (certificates.is_trusted, lambda look, role: certificates.is_in_date(look, role, EDGE)):
        try:
            check(look_of(handshake), "api")
        except Blocked as blocked:
            assert blocked.by.startswith("certificate-")


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_no_first_bytes_break_the_handshake(answer):
    def talk(client: socket.socket) -> None:
        client.recv(2**16)
        client.sendall(answer)

    assert shaken(talk).failure.kind in (Kind.TLS, Kind.CLOSED)


@pytest.mark.parametrize(
    "talk",
    [
        ENDLESS["silence"],
        dripping(b"\x16\x03\x03\x3f\xff", lambda number: b"\0"),
        flooding(b"", b"\x15\x03\x03\x00\x02\x01\x00"),
        flooding(b"", b"\x16\x03\x03\x00\x00"),
        flooding(b"\x16\x03\x03\x3f\xff", b"\x02\xff\xff\xff" * 2**12),
        GARBAGE["no HTTP"],
    ],
)
def test_a_handshake_ends_whatever_is_sent(talk):
    assert shaken(talk, deadline=0.7).failure.kind in (Kind.TLS, Kind.UNANSWERED, Kind.CLOSED)


def test_a_handshake_in_small_parts_is_a_handshake(tmp_path):
    """As over a line that is slow or splits packets."""
    private = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "server.pem"
    file.write_text(private.decode() + ssl.DER_cert_to_PEM_cert(made(named(HOST.encode()))))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def talk(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(received, sent, server_side=True)
        while True:
            try:
                server.do_handshake()
                return
            except ssl.SSLWantReadError:
                outgoing = sent.read()
                for start in range(0, len(outgoing), 100):
                    client.sendall(outgoing[start : start + 100])
                    time.sleep(0.01)
                received.write(client.recv(2**16))

    assert shaken(talk).names_host


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".test", "ü" * 70, ".", "a\0b", "*", "[::1", "", "a b"])
def test_a_name_that_tls_can_not_carry_is_data(host):
    with raw_server(ENDLESS["silence"]) as port:
        handshake = asyncio.run(TlsProber(None).shake(host, ADDRESS, port, deadline=0.3))
    assert handshake.failure.kind in (Kind.NO_ROUTE, Kind.UNANSWERED)
