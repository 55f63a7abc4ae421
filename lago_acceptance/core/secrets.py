"""Secrets as a type without text, and the one place that redacts.

What a Docker host reports of a secret is ``<secret:CLASS:SHAPE:LENGTH>`` (facts/scripts/mask.awk): two secrets of one
observation are equal exactly when their class is.
"""

from __future__ import annotations

import re
import threading
from typing import NoReturn

_MASKED = re.compile(r"<secret:(\d+):([a-z0-9-]+):(\d+)>(raw)?")
# Patterns begin with what is rare: megabytes of logs pass through them.
_KEY_MATERIAL = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=\n]*"),
    re.compile(r"MII(?<![A-Za-z0-9+/]MII)[A-Za-z0-9+/=\n]{200,}"),
)
_IN_URL = re.compile(r"://([^:@/\s\"'<]*):([^@\s\"'<]+)@")
# Keys of well-known services tell by their beginning what they are.
SERVICE_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)_\w{6,}|rzp_(?:live|test)_\w{8,}|whsec_\w{8,}|gh[opsur]_\w{16,}|"
    r"github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|"
    r"SG\.[\w-]{10,}\.[\w-]{10,}|hvs\.\w{10,}|npg_\w{8,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|"
    r"hf_[A-Za-z0-9]{30,}|dop_v1_[0-9a-f]{32,}|shp(?:at|ca|pa|ss)_[0-9a-f]{16,}|sk-(?:proj-|ant-)?\w{20,})"
)
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{10,}")
_BEARER = re.compile(
    r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:bearer\s+)?|bearer\s+)[A-Za-z0-9._~+/-]{16,}=*"
)


class MaskedSecret(str):
    """A secret seen on a host: a string of which only the mask is known."""

    __slots__ = ()

    @property
    def shape(self) -> str:
        """How it is written: plain, empty, pem, pem-mangled, base64, base64-twice, base64-mangled, der, default, …"""
        found = _MASKED.search(self)
        return found[2] if found else "plain"


def is_masked(value: str | None) -> bool:
    """Whether a value is, or holds, a secret that was masked."""
    return bool(value and _MASKED.search(value))


def masked_part(value: str) -> MaskedSecret | None:
    """The first masked secret inside of a value such as a database URL."""
    found = _MASKED.search(value)
    return MaskedSecret(found[0]) if found else None


class Secret:
    """A secret that the suite itself must know, such as an API key. Has no text; ``reveal`` is for the one call."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value
        Redactor.shared.learn(value)

    def reveal(self) -> str:
        """The text. Goes into a request or a file of mode 600, never into a message or a command line."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


class Redactor:
    """Takes secrets out of text: those that were learnt in this process, and whatever looks like key material."""

    shared: Redactor

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._longest_first: tuple[str, ...] | None = ()
        self._lock = threading.Lock()

    def learn(self, value: str) -> None:
        """From now on this value is taken out of every text. Values under 8 characters are too common to learn."""
        if len(value) >= 8:
            with self._lock:
                self._known.add(value)
                self._longest_first = None

    def _learnt(self) -> tuple[str, ...]:
        with self._lock:
            if self._longest_first is None:
                self._longest_first = tuple(sorted(self._known, key=len, reverse=True))
            return self._longest_first

    def redact(self, text: str) -> str:
        """The text without secrets."""
        for known in self._learnt():
            text = text.replace(known, "<secret>")
        for pattern in _KEY_MATERIAL:
            text = pattern.sub("<key material>", text)
        text = _IN_URL.sub(lambda found: f"://{found[1]}:<secret>@", text)
        text = JWT.sub("<token>", text)
        text = SERVICE_KEY.sub("<secret>", text)
        lowered = text.lower()
        if "bearer" not in lowered and "authorization" not in lowered:
            return text
        return _BEARER.sub(lambda found: f"{found[1]}<secret>", text)

    def leaks(self, text: str) -> bool:
        """Whether a text still holds a learnt secret or key material."""
        return any(known in text for known in self._learnt()) or any(
            pattern.search(text) for pattern in _KEY_MATERIAL[:2]
        )


Redactor.shared = Redactor()


def redact(text: str) -> str:
    """The text without secrets; see ``Redactor``."""
    return Redactor.shared.redact(text)
