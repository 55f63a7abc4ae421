"""Secrets, as a type that never prints its value, and all redaction.

A Docker host's secrets arrive as ``<secret:CLASS:SHAPE:LENGTH>`` (facts/scripts/mask.awk). Within one observation, two
secrets are equal exactly if their classes are.
"""

from __future__ import annotations

import re
import threading
from typing import NoReturn

_MASKED = re.compile(r"<secret:(\d+):([a-z0-9-]+):(\d+)>(raw)?")
# Each pattern starts with something rare, for speed: megabytes of logs pass through them.
_KEY_MATERIAL = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=\n]*"),
    re.compile(r"MII(?<![A-Za-z0-9+/]MII)[A-Za-z0-9+/=\n]{200,}"),
)
_IN_URL = re.compile(r"://([^:@/\s\"'<]*):([^@\s\"'<]+)@")
# Keys of well-known services have distinctive prefixes.
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
    """A secret seen on a host, of which only the mask is known."""

    __slots__ = ()

    @property
    def shape(self) -> str:
        """How it is written: plain, empty, pem, pem-mangled, base64, base64-twice, base64-mangled, der, default, …"""
        found = _MASKED.search(self)
        return found[2] if found else "plain"


def is_masked(value: str | None) -> bool:
    """Whether a value is or contains a masked secret."""
    return bool(value and _MASKED.search(value))


def masked_part(value: str) -> MaskedSecret | None:
    """The first masked secret in a value such as a database URL."""
    found = _MASKED.search(value)
    return MaskedSecret(found[0]) if found else None


class Secret:
    """A secret that the suite itself must know, such as an API key. Only ``reveal`` returns its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value
        Redactor.shared.learn(value)

    def reveal(self) -> str:
        """The value, for a request or a file of mode 600; never for a message or a command line."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret must not be serialized")


class Redactor:
    """Redacts text: the secrets known to this process, and anything that looks like key material."""

    shared: Redactor

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._longest_first: tuple[str, ...] | None = ()
        self._lock = threading.Lock()

    def learn(self, value: str) -> None:
        """Redact this value from now on. Values of fewer than 8 characters are too common."""
        if len(value) >= 8:
            with self._lock:
                self._known.add(value)
                self._longest_first = None

    def _known_secrets(self) -> tuple[str, ...]:
        with self._lock:
            if self._longest_first is None:
                self._longest_first = tuple(sorted(self._known, key=len, reverse=True))
            return self._longest_first

    def redact(self, text: str) -> str:
        """The text without secrets."""
        for known in self._known_secrets():
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
        """Whether a text still contains a known secret or key material."""
        return any(known in text for known in self._known_secrets()) or any(
            pattern.search(text) for pattern in _KEY_MATERIAL[:2]
        )


Redactor.shared = Redactor()


def redact(text: str) -> str:
    """The text without secrets; see ``Redactor``."""
    return Redactor.shared.redact(text)
