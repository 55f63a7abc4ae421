"""URLs of databases, caches and web addresses, parsed as Lago's libraries parse them."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from lago_acceptance.core.masks import is_masked

# Unless percent-encoded, these end or change a password. The script that masks a host's variables uses the same
# expression (facts/scripts/render.py), so it must work in Python's re and in every awk.
UNESCAPED = "[/?#@+= ]|%($|[^0-9A-Fa-f]|[0-9A-Fa-f]($|[^0-9A-Fa-f]))"
_UNESCAPED = re.compile(UNESCAPED)


class ServiceUrl(msgspec.Struct, frozen=True):
    """A URL of a database, a cache or a web address. ``password`` is unescaped."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    path: str
    query: str
    raw_password: bool

    @property
    def database(self) -> str:
        """The path without its slash: a database's name, or Redis' database number ("0" by default)."""
        name = self.path.strip("/")
        return name or ("0" if self.scheme.startswith("redis") else "")


_PORTS = {"http": 80, "https": 443}


class PublicUrl(msgspec.Struct, frozen=True):
    """Where browsers and clients reach something. ``path`` is what comes before every path there, without its last slash."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def place(self) -> str:
        """The host, with the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What a browser sends as the origin of its pages."""
        return f"{self.scheme}://{self.place}"

    def __str__(self) -> str:
        return self.origin + self.path


def public_url(text: str) -> PublicUrl | None:
    """A URL, or a host name that is reached by https; None for what is neither."""
    parts = service_url(text if "://" in text else f"https://{text}")
    if not text or parts is None or not parts.host or parts.scheme not in _PORTS:
        return None
    port = parts.port or _PORTS[parts.scheme]
    return PublicUrl(parts.scheme, parts.host.lower(), port, parts.path.rstrip("/"))


@lru_cache(1024)
def service_url(value: str | None) -> ServiceUrl | None:
    """The parts of a URL, None if the value is not one. The last @ ends the password."""
    scheme, separator, rest = (value or "").strip().strip("\"'").partition("://")
    if not separator or not scheme:
        return None
    credentials, at, location = rest.rpartition("@")
    user, _, password = credentials.partition(":") if at else ("", "", "")
    address, slash, path = location.partition("/")
    address, _, query_of_host = address.partition("?")
    path, _, query = path.partition("?")
    host, _, port = address.rpartition(":") if address.rpartition(":")[2].isdigit() else (address, "", "")
    raw = password.endswith("raw") if is_masked(password) else bool(_UNESCAPED.search(password))
    return ServiceUrl(
        scheme.lower(),
        user,
        password if raw or is_masked(password) else unquote(password),
        host.strip("[]"),
        int(port) if port else None,
        slash + path,
        query or query_of_host,
        raw,
    )
