"""TLS: what a server presents is seen as it is, and each thing wrong with it has its own finding."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import time
from collections.abc import Callable

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lago_acceptance.checks.edge import certificates
from lago_acceptance.checks.edge.certificate_chain import DEFAULT_CERTIFICATE
from lago_acceptance.core.settings import EdgeSettings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.dns import DnsAnswer, DnsOutcome
from lago_acceptance.probes.failure import Failure, Kind
from lago_acceptance.probes.public_endpoints import PublicEndpoints
from lago_acceptance.probes.survey import PublicSurvey
from lago_acceptance.probes.tls import Handshake, TlsProber
from tests.support.edge_servers import free_port, raw_server
from tests.support.endpoints import urls
from tests.support.patience import PATIENCE

HOST = "api.lago.test"
ADDRESS = "127.0.0.1"
EDGE = EdgeSettings(
    "web",
    "websecure",
    "letsencrypt",
    "",
    "",
    (),
    certificate_warning_days=25,
    certificate_error_days=14,
    closed_ports=(),
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def issued(authority: trustme.CA, *names: str, days: float = 60, since: float = -30) -> ssl.SSLContext:
    """A server's TLS with a certificate that is valid for so many days more."""
    now = datetime.datetime.now(datetime.UTC)
    certificate = authority.issue_cert(
        *(names or (HOST,)),
        not_before=now + datetime.timedelta(days=since),
        not_after=now + datetime.timedelta(days=days),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def self_signed(tmp_path, subject: str) -> ssl.SSLContext:
    """TLS as Traefik has it where no certificate fits: one that it made and signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(365)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def seen(context: ssl.SSLContext, roots: str, host: str = HOST) -> PublicSurvey:
    """A look at a server with this TLS: both handshakes, as a whole look has them."""

    def talk(client: socket.socket) -> None:
        context.wrap_socket(client, server_side=True).close()

    with raw_server(talk) as port:
        shaker = TlsProber(roots)
        new, old = (asyncio.run(shaker.shake(host, ADDRESS, port, only_old)) for only_old in (False, True))
    return look_of(new, old)


def look_of(new: Handshake, old: Handshake | None = None) -> PublicSurvey:
    answer = DnsAnswer(
        host=new.host, kind="A", resolver="first", outcome=DnsOutcome.ANSWERED, addresses=(new.address,)
    )
    where = (new.host, new.address)
    return PublicSurvey(
        view=PublicEndpoints(urls=urls({"api": new.host}), resolvers=(), origin=new.address),
        now=time.time(),
        answers=(answer,),
        handshakes={where: new},
        old_handshakes={where: old or new},
    )


def ids(findings) -> list[tuple[str, str]]:
    return [(each.id, each.severity.value) for each in findings]


def test_a_good_certificate_is_right_in_every_respect(authority):
    look = seen(issued(authority), pem(authority))
    (handshake,) = look.handshakes.values()
    assert (handshake.failure, handshake.problems, handshake.version) == (None, (), "TLSv1.3")
    assert handshake.certificate.names == (HOST,)
    assert handshake.names_host
    assert certificates.is_trusted(look, "api") == []
    assert certificates.is_in_date(look, "api", EDGE) == []
    assert certificates.is_modern(look, "api") == []


@pytest.mark.parametrize(
    ("lifetime", "days", "expected"),
    [
        (90, 29.5, []),
        (90, 28, [("certificate-expires", "warning")]),
        (90, 20, [("certificate-expires", "warning")]),
        (90, 10, [("certificate-expires", "error")]),
        (90, -1, [("certificate-expired", "error")]),
        # Short ones are renewed late, and by hand long ones.
        (6, 2, []),
        (6, 1.7, [("certificate-expires", "warning")]),
        (6, 0.9, [("certificate-expires", "error")]),
        (45, 15, []),
        (398, 60, []),
        (398, 24, [("certificate-expires", "warning")]),
    ],
)
def test_days_left_decide(authority, lifetime: float, days: float, expected: list):
    look = seen(issued(authority, days=days, since=days - lifetime), pem(authority))
    assert ids(certificates.is_in_date(look, "api", EDGE)) == expected
    assert certificates.is_trusted(look, "api") == []


def test_a_certificate_of_tomorrow_is_red(authority):
    look = seen(issued(authority, since=1), pem(authority))
    assert ids(certificates.is_in_date(look, "api", EDGE)) == [("certificate-not-yet-valid", "error")]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((HOST, "other.test"), []),
        (("*.lago.test",), []),
        (("other.test",), ["certificate-name"]),
        (("*.test",), ["certificate-name"]),
        (("127.0.0.1",), ["certificate-name"]),
    ],
)
def test_the_certificate_must_name_the_host(authority, names: tuple[str, ...], expected: list[str]):
    assert [
        each.id for each in certificates.is_trusted(seen(issued(authority, *names), pem(authority)), "api")
    ] == expected


def test_traefiks_default_certificate_is_called_by_name(authority, tmp_path):
    look = seen(self_signed(tmp_path, DEFAULT_CERTIFICATE), pem(authority))
    assert ids(certificates.is_trusted(look, "api")) == [("certificate-default", "error")]
    with pytest.raises(Blocked) as blocked:
        certificates.is_in_date(look, "api", EDGE)
    assert blocked.value.by == "certificate-default"


def test_a_self_signed_certificate_is_red(authority, tmp_path):
    look = seen(self_signed(tmp_path, "me"), pem(authority))
    assert ids(certificates.is_trusted(look, "api")) == [("certificate-self-signed", "error")]


def test_a_chain_without_its_middle_is_red_and_whole_it_is_right(authority):
    middle = authority.create_child_ca()
    assert certificates.is_trusted(seen(issued(middle), pem(authority)), "api") == []
    alone = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = middle.issue_cert(HOST)
    with certificate.private_key_pem.tempfile() as key, certificate.cert_chain_pems[0].tempfile() as leaf:
        alone.load_cert_chain(leaf, key)
    assert ids(certificates.is_trusted(seen(alone, pem(authority)), "api")) == [
        ("certificate-chain-incomplete", "error")
    ]


def test_a_ca_that_is_not_trusted_is_red(authority):
    middle = trustme.CA().create_child_ca()
    assert ids(certificates.is_trusted(seen(issued(middle), pem(authority)), "api")) == [
        ("certificate-untrusted", "error")
    ]


def test_this_machines_roots_do_not_trust_a_test_ca(authority):
    assert certificates.is_trusted(seen(issued(authority), None), "api")


def test_old_tls_alone_is_red(authority):
    context = issued(authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    look = seen(context, pem(authority))
    (new,), (old,) = look.handshakes.values(), look.old_handshakes.values()
    assert new.failure.kind is Kind.TLS
    assert old.version == "TLSv1.1"
    assert ids(certificates.is_modern(look, "api")) == [("tls-too-old", "error")]
    with pytest.raises(Blocked) as blocked:
        certificates.is_trusted(look, "api")
    assert blocked.value.by == "host-unanswered"


def test_old_tls_beside_new_is_red(authority):
    context = issued(authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    assert ids(certificates.is_modern(seen(context, pem(authority)), "api")) == [("tls-too-old", "error")]


def test_whether_old_tls_is_refused_is_unknown_where_nothing_is_said(authority):
    good = next(iter(seen(issued(authority), pem(authority)).handshakes.values()))
    silent = Handshake(host=HOST, address=ADDRESS, failure=Failure(Kind.UNANSWERED, "no answer within 5 s"))
    with pytest.raises(Unknown, match="refuses TLS 1.1"):
        certificates.is_modern(look_of(good, silent), "api")


def hang(client: socket.socket) -> None:
    client.settimeout(PATIENCE)
    while client.recv(4096):
        pass


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (lambda client: None, Kind.CLOSED),
        (hang, Kind.UNANSWERED),
        (lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + client.recv(1)), Kind.TLS),
    ],
)
def test_what_speaks_no_tls_is_told_apart(talk: Callable[[socket.socket], None], kind: Kind):
    with raw_server(talk) as port:
        started = time.monotonic()
        deadline = 0.5 if kind is Kind.UNANSWERED else PATIENCE
        handshake = asyncio.run(TlsProber(None).shake(HOST, ADDRESS, port, deadline=deadline))
    assert handshake.failure.kind is kind
    assert time.monotonic() - started < PATIENCE


def test_a_port_that_nobody_holds_is_refused():
    handshake = asyncio.run(TlsProber(None).shake(HOST, ADDRESS, free_port()))
    assert handshake.failure.kind is Kind.REFUSED


# --- Cloudflare before the origin ---


def proxied(own: Failure | None, authority: trustme.CA, days: float = 60) -> PublicSurvey:
    """Cloudflare's address answers well; the origin gives this failure, or a certificate for so many days."""
    look = seen(issued(authority, days=days), pem(authority))
    good = look.handshakes[(HOST, ADDRESS)]
    edge = Handshake(
        host=HOST,
        address="104.16.0.1",
        version="TLSv1.3",
        chain=seen(issued(authority, days=5), pem(authority)).handshakes[(HOST, ADDRESS)].chain,
        names_host=True,
    )
    answer = DnsAnswer(
        host=HOST, kind="A", resolver="first", outcome=DnsOutcome.ANSWERED, addresses=("104.16.0.1",)
    )
    origin = Handshake(host=HOST, address=ADDRESS, failure=own) if own else good
    return PublicSurvey(
        view=look.view,
        now=look.now,
        answers=(answer,),
        handshakes={(HOST, "104.16.0.1"): edge, (HOST, ADDRESS): origin},
    )


def test_a_proxied_zone_is_judged_at_the_origin(authority):
    assert certificates.is_in_date(proxied(None, authority), "api", EDGE) == []
    expected = [("certificate-expires", "error")]
    assert ids(certificates.is_in_date(proxied(None, authority, days=3), "api", EDGE)) == expected


@pytest.mark.parametrize("kind", [Kind.UNANSWERED, Kind.REFUSED, Kind.CLOSED, Kind.NO_ROUTE])
def test_a_blocked_origin_of_a_proxied_zone_is_unknown(authority, kind: Kind):
    with pytest.raises(Unknown, match="behind Cloudflare"):
        certificates.is_in_date(proxied(Failure(kind, "nothing"), authority), "api", EDGE)
