"""A TLS handshake with an address under a host's name: the certificates, and OpenSSL's verify errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from lago_acceptance.probes.failure import Failure, Kind, failure_of
from lago_acceptance.probes.public_endpoints import is_address

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL import SSL, crypto

DEADLINE = 5.0
# For a handshake that timed out once.
PATIENT = 10.0

# Of a certificate, for messages: whoever serves it chooses how much there is.
_NAMES, _TEXT = 100, 255

# OpenSSL 3 and later offers TLS 1.1 only with this.
_ALL_CIPHERS = b"DEFAULT:@SECLEVEL=0"


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate. ``serial`` in hex; times in seconds since 1970; ``names``: the first names and addresses of the SAN.

    ``defect`` says why it can't be read; then the other fields are empty.
    """

    subject: str = ""
    issuer: str = ""
    serial: str = ""
    names: tuple[str, ...] = ()
    not_before: float = 0.0
    not_after: float = 0.0
    defect: str = ""

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
        connection.set_connect_state()
        try:
            # SNI has names only.
            if not is_address(host):
                connection.set_tlsext_host_name(host.encode("idna"))
            async with asyncio.timeout(deadline):
                await _complete(connection, address, port)
        except (SSL.Error, OSError) as error:
            return Handshake(host=host, address=address, failure=failure_of(error, deadline))
        except (ValueError, TypeError):
            failure = Failure(Kind.NO_ROUTE, f"{host!r:.100} is not a host name; correct it in the settings")
            return Handshake(host=host, address=address, failure=failure)
        if not (chain := connection.get_peer_cert_chain()):
            failure = Failure(Kind.TLS, "no certificate was sent")
            return Handshake(host=host, address=address, failure=failure)
        return Handshake(
            host=host,
            address=address,
            version=connection.get_protocol_version_name(),
            chain=tuple(_described(each) for each in chain),
            problems=tuple(connection.get_app_data()),
            names_host=_is_for(chain[0], host),
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
            writer.write(_outgoing(connection))
            await writer.drain()
            if done:
                return
            received = await reader.read(2**16)
            if not received:
                raise ConnectionResetError
            connection.bio_write(received)
    finally:
        writer.close()


def _outgoing(connection: SSL.Connection) -> bytes:
    from OpenSSL import SSL

    try:
        return connection.bio_read(2**16)
    except SSL.WantReadError:
        # Nothing to say yet: the other side's message came in parts.
        return b""


def _described(served: crypto.X509) -> Certificate:
    # The parser raises whatever its authors thought of for a certificate that somebody made up.
    try:
        certificate = served.to_cryptography()
        return Certificate(
            subject=certificate.subject.rfc4514_string()[:_TEXT],
            issuer=certificate.issuer.rfc4514_string()[:_TEXT],
            serial=f"{certificate.serial_number:x}",
            names=_names(certificate),
            not_before=certificate.not_valid_before_utc.timestamp(),
            not_after=certificate.not_valid_after_utc.timestamp(),
        )
    except Exception as error:  # noqa: BLE001
        return Certificate(defect=f"{error!r:.{_TEXT}}")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    addresses = map(str, extension.value.get_values_for_type(x509.IPAddress))
    names = (*extension.value.get_values_for_type(x509.DNSName), *addresses)
    return tuple(name[:_TEXT] for name in names[:_NAMES])


def _is_for(served: crypto.X509, host: str) -> bool:
    from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

    # It raises where the host is none of its names, and whatever its authors thought of for names that are none.
    try:
        verify = verify_certificate_ip_address if is_address(host) else verify_certificate_hostname
        verify(served.to_cryptography(), host)
    except Exception:  # noqa: BLE001
        return False
    return True
