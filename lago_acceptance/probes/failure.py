"""Why an address did not answer: one classification for TCP, TLS and HTTP."""

from __future__ import annotations

import enum
import errno
import ssl
from collections.abc import Iterator

import msgspec


class Kind(enum.StrEnum):
    """What happened. ``no-route`` is a problem of this machine, the others are problems of the address."""

    NO_ROUTE = "no-route"
    UNANSWERED = "unanswered"
    REFUSED = "refused"
    CLOSED = "closed"
    TLS = "tls"
    CERTIFICATE = "certificate"
    GARBLED = "garbled"


# What a client sees that a firewall keeps out.
SHUT = (Kind.NO_ROUTE, Kind.UNANSWERED, Kind.REFUSED, Kind.CLOSED)


class Failure(msgspec.Struct, frozen=True):
    """A probe that got no answer: what happened, and the error message."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text


_HERE = {
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.EPERM,
    errno.EACCES,
}


def failure_of(error: BaseException, seconds: float) -> Failure:
    """The failure behind an exception, from its causes. ``seconds`` is the deadline that was set."""
    for each in _with_causes(error):
        if isinstance(each, TimeoutError):
            return Failure(Kind.UNANSWERED, f"no answer within {seconds:g} s")
        if isinstance(each, ssl.SSLCertVerificationError):
            return Failure(Kind.CERTIFICATE, each.verify_message or str(each))
        if isinstance(each, ssl.SSLError) or type(each).__module__.startswith("OpenSSL"):
            return Failure(Kind.TLS, _reason(each))
        if isinstance(each, ConnectionRefusedError):
            return Failure(Kind.REFUSED, "the connection was refused")
        if isinstance(each, ConnectionError):
            return Failure(Kind.CLOSED, "the connection was closed before an answer came")
        if isinstance(each, OSError) and each.errno in _HERE:
            return Failure(Kind.NO_ROUTE, f"this machine has no route there ({each.strerror})")
        if isinstance(each, OSError) and each.errno == errno.EHOSTUNREACH:
            return Failure(Kind.UNANSWERED, "no route to that host")
    if type(error).__name__.endswith("Timeout"):
        return Failure(Kind.UNANSWERED, f"no answer within {seconds:g} s")
    text = str(error) or type(error).__name__
    if "disconnected" in text or type(error).__name__ == "ReadError":
        return Failure(Kind.CLOSED, "the connection was closed before an answer came")
    return Failure(Kind.GARBLED, f"the answer is not valid: {text[:200]}")


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and its causes, innermost first: libraries wrap the system's error."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        if isinstance(each, BaseExceptionGroup):
            # One for each address of a name, IPv6 first, which may fail here only.
            each = each.exceptions[-1]
        # These only mean that Python's TLS is waiting for data.
        if not isinstance(each, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            chain.append(each)
        each = each.__cause__ or each.__context__
    return reversed(chain)


def _reason(error: BaseException) -> str:
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    said = (
        ", ".join(entry[-1] for entry in entries) or getattr(error, "reason", None) or "no reason was given"
    )
    return f"no TLS connection could be made: {str(said).lower().replace('_', ' ')}"
