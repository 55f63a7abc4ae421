"""Where a deployment is seen from outside: which resolvers are asked, which address is the origin, whom TLS trusts."""

from __future__ import annotations

import msgspec


class Resolver(msgspec.Struct, frozen=True):
    """A DNS server. ``system`` stands for the resolvers of this machine, with no address of its own."""

    name: str
    address: str = ""
    port: int = 53


class PublicView(msgspec.Struct, frozen=True, kw_only=True):
    """The public side of a deployment.

    ``hosts`` maps a role (front, api, gateway) to the public name that is routed to it. ``origin`` is the proxy's own
    address. ``roots`` are the trusted root certificates as PEM, None for those of this machine.
    """

    hosts: dict[str, str]
    resolvers: tuple[Resolver, ...]
    origin: str | None
    roots: str | None = None
