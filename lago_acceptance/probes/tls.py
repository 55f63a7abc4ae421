"""A TLS handshake with an address under a host's name: the certificates, and OpenSSL's verify errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from lago_acceptance.probes.failure import Failure, failure_of

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL import SSL

DEADLINE = 5.0

# OpenSSL 3 and later offers TLS 1.1 only with this.
_ALL_CIPHERS = b"DEFAULT:@SECLEVEL=0"


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate. ``serial`` in hex; times in seconds since 1970; ``names``: DNS names of the SAN."""

    subject: str
    issuer: str
    serial: str
    names: tuple[str, ...]
    not_before: float
    not_after: float

    def days_left(self, now: float) -> float:
        return (self.not_after - now) / 86400


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """One handshake. ``chain`` is what the server sent, its own certificate first.

    ``problems`` are OpenSSL's verify errors, by number and depth in the chain; dates are in the certificate.
    ``names_host``: the certificate is valid for the requested host (RFC 6125).
    """

    host: str
    address: str
    failure: Failure | None = None
    version: str = ""
    chain: tuple[Certificate, ...] = ()
    problems: tuple[tuple[int, int], ...] = ()
    names_host: bool = False

    @property
    def certificate(self) -> Certificate | None:
        return self.chain[0] if self.chain else None


class TlsProber:
    """Makes handshakes. ``roots`` are the trusted roots as PEM, None for this machine's."""

    def __init__(self, roots: str | None):
        self._roots = roots
        self._contexts: dict[bool, SSL.Context] = {}

    async def shake(
        self, host: str, address: str, port: int = 443, only_old: bool = False, deadline: float = DEADLINE
    ) -> Handshake:
        """One handshake with SNI. ``only_old`` offers nothing newer than TLS 1.1."""
        from OpenSSL import SSL

        connection = SSL.Connection(self._context(only_old), None)
        connection.set_app_data([])
        connection.set_tlsext_host_name(host.encode("idna"))
        connection.set_connect_state()
        try:
            async with asyncio.timeout(deadline):
                await _complete(connection, address, port)
        except (SSL.Error, OSError, TimeoutError) as error:
            return Handshake(host=host, address=address, failure=failure_of(error, deadline))
        chain = connection.get_peer_cert_chain(as_cryptography=True) or []
        return Handshake(
            host=host,
            address=address,
            version=connection.get_protocol_version_name(),
            chain=tuple(_described(each) for each in chain),
            problems=tuple(connection.get_app_data()),
            names_host=bool(chain) and _is_for(chain[0], host),
        )

    def _context(self, only_old: bool) -> SSL.Context:
        if only_old not in self._contexts:
            self._contexts[only_old] = self._make_context(only_old)
        return self._contexts[only_old]

    def _make_context(self, only_old: bool) -> SSL.Context:
        from OpenSSL import SSL

        context = SSL.Context(SSL.TLS_METHOD)
        if only_old:
            context.set_cipher_list(_ALL_CIPHERS)
            context.set_min_proto_version(SSL.TLS1_VERSION)
            context.set_max_proto_version(SSL.TLS1_1_VERSION)
        else:
            _trust(context, self._roots)
        context.set_verify(SSL.VERIFY_PEER, _note)
        return context


def _note(connection: SSL.Connection, certificate: object, number: int, depth: int, ok: int) -> bool:
    # Errors are judged later; continuing shows the rest of the chain.
    if not ok and (number, depth) not in connection.get_app_data():
        connection.get_app_data().append((number, depth))
    return True


def _trust(context: SSL.Context, roots: str | None) -> None:
    import ssl

    from cryptography import x509
    from OpenSSL import crypto

    if roots is None:
        paths = ssl.get_default_verify_paths()
        context.load_verify_locations(paths.cafile, paths.capath)
        return
    store = context.get_cert_store()
    assert store is not None
    for root in x509.load_pem_x509_certificates(roots.encode()):
        store.add_cert(crypto.X509.from_cryptography(root))


async def _complete(connection: SSL.Connection, address: str, port: int) -> None:
    from OpenSSL import SSL

    reader, writer = await asyncio.open_connection(address, port)
    try:
        while True:
            try:
                connection.do_handshake()
                connection.shutdown()
                done = True
            except SSL.WantReadError:
                done = False
            writer.write(connection.bio_read(2**16))
            await writer.drain()
            if done:
                return
            received = await reader.read(2**16)
            if not received:
                raise ConnectionResetError
            connection.bio_write(received)
    finally:
        writer.close()


def _described(certificate: x509.Certificate) -> Certificate:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        names = ()
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        names=names,
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
    )


def _is_for(certificate: x509.Certificate, host: str) -> bool:
    from service_identity import CertificateError, VerificationError
    from service_identity.cryptography import verify_certificate_hostname

    try:
        verify_certificate_hostname(certificate, host)
    except (CertificateError, VerificationError):
        return False
    return True
