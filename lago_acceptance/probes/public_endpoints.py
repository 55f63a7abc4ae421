"""Where a deployment is seen from outside: which resolvers are asked, which address is the origin, whom TLS
trusts.
"""

from __future__ import annotations

import socket

import msgspec

# The name of the resolvers of this machine, which have no address of their own.
SYSTEM = "system"


class Resolver(msgspec.Struct, frozen=True):
    """A DNS server. ``SYSTEM`` stands for the resolvers of this machine."""

    name: str
    address: str = ""
    port: int = 53


class PublicEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The public side of a deployment.

    ``hosts`` maps a role (front, api, gateway) to the public name that is routed to it. ``origin`` is the
    proxy's own address. ``roots`` are the trusted root certificates as PEM, None for those of this machine.
    """

    hosts: dict[str, str]
    resolvers: tuple[Resolver, ...]
    origin: str | None
    roots: str | None = None

    def pinned(self, host: str) -> str:
        """The address to reach a public host at; "" where this machine's own DNS knows it, as its users'
        does.

        So a host behind a CDN is reached as its users reach it, even where the origin lets nobody else in;
        and names that only a stack's own DNS knows are reached at the origin.
        """
        if not any(resolver.name == SYSTEM for resolver in self.resolvers):
            return self.origin or ""
        try:
            socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return self.origin or ""
        return ""
