"""URLs of databases, caches and web addresses, taken apart as Lago's libraries take them apart."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from lago_acceptance.core.secrets import is_masked

# In a password these end it, or change it, unless they are percent-encoded. The script that masks a host's variables
# uses the same expression (facts/scripts/render.py): only what Python's re and every awk understand.
UNESCAPED = "[/?#@+= ]|%($|[^0-9A-Fa-f]|[0-9A-Fa-f]($|[^0-9A-Fa-f]))"
_UNESCAPED = re.compile(UNESCAPED)


class ServiceUrl(msgspec.Struct, frozen=True):
    """A URL of a database, a cache or a web address, taken apart as its readers do. ``password`` is unescaped."""

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
        """The path without its slash: a database's name, or Redis' number ("0" where there is none)."""
        name = self.path.strip("/")
        return name or ("0" if self.scheme.startswith("redis") else "")


def service_url(value: str | None) -> ServiceUrl | None:
    """The parts of a URL, None where the value is none. The last @ ends the password, whatever it holds."""
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
