"""How a deployment is reached from outside: names, resolvers, origin and trusted roots."""

from __future__ import annotations

import socket

import msgspec

from lago_acceptance.core.background import Background
from lago_acceptance.core.settings import TRAEFIK
from lago_acceptance.core.urls import PublicUrl

# The name for this machine's own resolvers, which are configured without an address here.
SYSTEM = "system"
# getaddrinfo has no deadline of its own.
LOOK_UP = 5.0


class Resolver(msgspec.Struct, frozen=True):
    """A DNS server. The one named ``SYSTEM`` means this machine's own resolvers."""

    name: str
    address: str = ""
    port: int = 53


class PublicEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The public side of a deployment.

    ``urls`` maps a role (front, api, gateway) to where it is reached; ``browser_api`` is where browsers reach the API, None
    for the same place. ``origin`` is the proxy's own address. ``doors`` are addresses and ports at which a role is reached
    without DNS and without a proxy, as a port that a stack has moved. ``proxy`` is the proxy's kind, one of
    ``settings.PROXIES``. ``roots`` are the trusted root certificates as PEM, None for those of this machine.
    """

    urls: dict[str, PublicUrl]
    resolvers: tuple[Resolver, ...]
    origin: str | None
    roots: str | None = None
    browser_api: PublicUrl | None = None
    doors: dict[str, tuple[str, int]] = {}
    proxy: str = TRAEFIK

    @property
    def hosts(self) -> dict[str, str]:
        """The public host names by role."""
        return {role: url.host for role, url in self.urls.items()}

    def pinned(self, host: str) -> str:
        """The address to connect to for a public host; "" to use what this machine's DNS says.

        A host behind a CDN is thus reached as its users reach it, even if the origin only admits the CDN. Names that
        only a stack's own DNS knows are reached at the origin.
        """
        if not any(resolver.name == SYSTEM for resolver in self.resolvers):
            return self.origin or ""
        return "" if _resolves(host) else self.origin or ""


def _resolves(host: str) -> bool:
    looked_up = Background().submit(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    try:
        return bool(looked_up.result(timeout=LOOK_UP))
    except (OSError, ValueError):
        # ValueError: a name that DNS can't carry.
        return False
