"""An entry of --hosts."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.verdicts import UsageError


class Address(msgspec.Struct, frozen=True):
    """A host for ssh: ``spec`` is the URL, ``name`` the host's name or address, or its alias in ssh_config."""

    spec: str
    name: str


_HOST = r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
_ADDRESS = re.compile(
    rf"(?:(?P<user>[^\s@:/?#%-][^\s@:/?#%]*)@)?(?P<host>{_HOST})(?::(?P<port>[0-9]+))?/?", re.ASCII
)


def parse(text: str) -> Address:
    """The address in an entry of --hosts; UsageError if it is not ssh://[user@]host[:port]."""
    if text.count("://") > 1:
        raise UsageError(
            "--hosts has several hosts without commas between them; write ssh://root@one,ssh://root@two"
        )
    shown = text if text.isprintable() else repr(text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        rest = re.sub(r"^ssh(:/*|/+)", "", shown)
    if ":" in rest.rpartition("@")[0]:
        raise UsageError(
            "--hosts contains a password, which the process list would show; use a key (ssh-copy-id)"
        )
    if not separator:
        raise UsageError(f"--hosts {shown} has no scheme; write ssh://{rest}")
    if scheme != "ssh":
        raise UsageError(
            f"--hosts {shown.partition('://')[0]}://… is refused: only ssh:// verifies host keys and honours ssh_config; "
            f"write ssh://{shown.partition('://')[2]}"
        )
    found = _ADDRESS.fullmatch(rest)
    if not found:
        if re.fullmatch(r"(?:[^@]*@)?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*", rest):
            before, at, address = rest.rpartition("@")
            raise UsageError(
                f"--hosts {shown} is not ssh://user@host: write an IPv6 address in brackets, as in ssh://{before}{at}[{address}]"
            )
        not_a_port = re.fullmatch(rf"(?:[^@]*@)?(?:{_HOST}):(.*)", rest, re.ASCII)
        problem = (
            ": the port is not a number" if not_a_port else " is not ssh://user@host or ssh://user@host:port"
        )
        raise UsageError(f"--hosts {shown}{problem}")
    port = found["port"]
    if port and not 1 <= int(port[:6]) <= 65535:
        raise UsageError(f"--hosts {shown}: {port[:6]} is not a port (1 to 65535)")
    user = f"{found['user']}@" if found["user"] else ""
    return Address(f"ssh://{user}{found['host']}{f':{port}' if port else ''}", found["host"].strip("[]"))
