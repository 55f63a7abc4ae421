"""An entry of --hosts."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from lago_acceptance.core.verdicts import UsageError


class Address(msgspec.Struct, frozen=True):
    """A host for ssh: ``spec`` is the URL, ``name`` the host's name or address, or its alias in ssh_config."""

    spec: str
    name: str


def parse(text: str) -> Address:
    """The address in an entry of --hosts; UsageError if it is not ssh://[user@]host[:port]."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise UsageError(f"--hosts {text} has no scheme; write ssh://{text}")
    if scheme != "ssh":
        raise UsageError(
            f"--hosts {scheme}://… is refused: only ssh:// verifies host keys and honours ssh_config; write "
            f"ssh://{rest}"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(f"--hosts {text}: the port is not a number") from None
    if parts.password:
        raise UsageError(
            "--hosts contains a password, which the process list would show; use a key (ssh-copy-id)"
        )
    if not parts.hostname or parts.path.strip("/") or parts.hostname.startswith("-"):
        raise UsageError(f"--hosts {text} is not ssh://user@host or ssh://user@host:port")
    user = f"{parts.username}@" if parts.username else ""
    # urlsplit lowers a name; an alias of ssh_config may have capitals.
    host = parts.netloc.rpartition("@")[2]
    host = host.removesuffix(f":{port}") if port is not None else host
    return Address(f"ssh://{user}{host}{f':{port}' if port is not None else ''}", host.strip("[]"))
