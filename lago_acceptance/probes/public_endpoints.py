"""How a deployment is reached from outside: URLs, doors, resolvers, origin and trusted roots."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import msgspec

from lago_acceptance.core.background import Background
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import TRAEFIK, TUNNEL
from lago_acceptance.core.urls import PublicUrl

# The name for this machine's own resolvers, which are configured without an address here.
SYSTEM = "system"
# getaddrinfo has no deadline of its own.
LOOK_UP = 5.0
# Why nothing is seen of such a URL, and what helps.
ONLY_THERE = "the public URL is localhost, which only the host itself can open"
OTHERS_REACH = "use a name or an address that others can reach, or check the compose file on a stack"
# Ends of names that public DNS never has (RFC 6761, 6762, 8375), and those that networks at home and at work give.
_LOCAL = (".localhost", ".local", ".lan", ".home", ".home.arpa", ".internal", ".intranet", ".corp")


class Resolver(msgspec.Struct, frozen=True):
    """A DNS server. The one named ``SYSTEM`` means this machine's own resolvers."""

    name: str
    address: str = ""
    port: int = 53


class PublicEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The public side of a deployment.

    ``urls`` maps a role (front, api, gateway) to where it is reached; ``browser_api`` is where browsers reach the API, None
    for the same place. ``origin`` is the proxy's own address, or the host's where there is none. ``doors`` are addresses and
    ports at which a role is reached without DNS and without a proxy, as a port that a stack has moved. ``proxy`` is the
    proxy's kind, one of ``settings.PROXIES``. ``roots`` are the trusted root certificates as PEM, None for those of this
    machine.
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

    def firsts(self, part: str) -> tuple[str, ...]:
        """The first role of each ``host`` or ``origin``, for what several roles at one place have in common."""
        found: dict[str, str] = {}
        for role, url in self.urls.items():
            found.setdefault(getattr(url, part), role)
        return tuple(found.values())

    @property
    def routed(self) -> dict[str, PublicUrl]:
        """What a proxy has to route to each role. Where API and front have one URL, the API has the paths of its REST alone."""
        api = self.urls.get(API)
        if api is None or api != self.urls.get(FRONT):
            return self.urls
        return {**self.urls, API: PublicUrl(api.scheme, api.host, api.port, f"{api.path}/api/v1")}

    @property
    def graphql(self) -> PublicUrl | None:
        """Where browsers send their GraphQL, None where that isn't known."""
        return self.browser_api or self.urls.get(API)

    @property
    def proxy_address(self) -> str | None:
        """The origin, where requests can be sent straight to it: a tunnel takes none."""
        return None if self.proxy == TUNNEL else self.origin

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that the public is meant to use, port 80 beside https on 443 included."""
        urls = (*self.urls.values(), *((self.browser_api,) if self.browser_api else ()))
        used = {url.port for url in urls} | {port for _, port in self.doors.values()}
        return tuple(sorted(used | ({80} if 443 in used else set())))

    def door(self, url: PublicUrl) -> tuple[str, int] | None:
        """Address and port of what is reached without DNS: a role's door, or an address as the host."""
        doors = (
            self.doors[role]
            for role, known in self.urls.items()
            if known.origin == url.origin and role in self.doors
        )
        return next(doors, None) or ((url.host, url.port) if is_address(url.host) else None)

    def only_on_the_host(self, url: PublicUrl) -> bool:
        """Whether only the host itself can open a URL: ``localhost`` without a door."""
        loopback = is_address(url.host) and ip_address(url.host).is_loopback
        own = loopback or url.host == "localhost" or url.host.endswith(".localhost")
        return own and not any(
            self.urls[role].origin == url.origin for role in self.doors if role in self.urls
        )

    def in_dns(self, url: PublicUrl) -> bool:
        """Whether public DNS has to know the host of a URL."""
        return self.door(url) is None and "." in url.host and not url.host.endswith(_LOCAL)

    def pinned(self, url: PublicUrl) -> tuple[str, int]:
        """The address and port to connect to for a public URL; "" to use what this machine's DNS says.

        A host behind a CDN is thus reached as its users reach it, even if the origin only admits the CDN. Names that
        only a stack's own DNS knows are reached at the origin.
        """
        if door := self.door(url):
            return door
        own = any(resolver.name == SYSTEM for resolver in self.resolvers)
        return "" if own and _resolves(url.host) else self.proxy_address or "", url.port


def is_address(host: str) -> bool:
    """Whether a host is an IP address instead of a name."""
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _resolves(host: str) -> bool:
    looked_up = Background().submit(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    try:
        return bool(looked_up.result(timeout=LOOK_UP))
    except (OSError, ValueError):
        # ValueError: a name that DNS can't carry.
        return False
