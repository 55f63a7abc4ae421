"""How browsers reach UI and API: from everywhere, from one network or from this machine only, as far as the deployment says it."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterator

import msgspec

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import NO_PROXY, TUNNEL, Settings
from lago_acceptance.core.urls import PublicUrl, public_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Port, Service
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.once import once
from lago_acceptance.model.traefik_labels import disabled, routers

DOMAIN = "LAGO_DOMAIN"
# Names and addresses that mean something to containers and to servers only.
_NO_PLACE = ("host.docker.internal", "gateway.docker.internal", "0.0.0.0", "::")
_LOCAL_DOMAINS = (
    ".local",
    ".lan",
    ".internal",
    ".home",
    ".home.arpa",
    ".intranet",
    ".corp",
    ".private",
    ".localdomain",
)
# Docker's own bridges, private networks and VPNs. The ranges for documentation are public ones in examples.
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        [
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1",
            "fc00::/7",
            "fe80::/10",
        ],
    )
)


class Scope(enum.IntEnum):
    """From where a name or an address is reached; a wider scope is larger.

    ``CONTAINERS``: Docker's name of a service. ``MACHINE``: localhost. ``NETWORK``: an address or a name of a LAN or VPN.
    """

    CONTAINERS = 0
    MACHINE = 1
    NETWORK = 2
    PUBLIC = 3


class Address(msgspec.Struct, frozen=True):
    """Where one thing says that UI or API is reached: ``by`` in words, ``at`` its YAML path, ``variable`` its name if it is one."""

    role: str
    url: PublicUrl
    scope: Scope
    by: str
    at: tuple[str | int, ...]
    service: Service | None = None
    variable: str = ""


class WayIn(msgspec.Struct, frozen=True):
    """How browsers reach UI and API.

    ``widest`` is the address with the widest scope, None where the deployment names none that browsers could use. ``platform``: a
    platform, or whoever deploys, sets a part of it, so that not all is known. ``plain``: Lago's own ports, over http.
    """

    addresses: tuple[Address, ...]
    widest: Address | None
    platform: str
    plain: bool

    @property
    def scope(self) -> Scope | None:
        """The widest scope, None where nothing says one. A platform and a tunnel serve public names."""
        if self.platform:
            return Scope.PUBLIC
        return self.widest.scope if self.widest else None

    def of(self, role: str) -> tuple[Address, ...]:
        """The addresses of UI (FRONT) or API, as far as browsers can use them."""
        return tuple(each for each in self.addresses if each.role == role and each.scope > Scope.CONTAINERS)


@once
def way_in(model: Model, settings: Settings) -> WayIn:
    """How browsers reach UI and API, from the URLs, the routers and the proxy of a deployment, and from the settings."""
    front = front_proxy(model, settings)
    found = tuple(_addresses(model, settings))
    usable = [each for each in found if each.scope > Scope.CONTAINERS]
    widest = max(usable, key=lambda each: each.scope, default=None)
    platform = front.platform or ("the tunnel" if front.kind == TUNNEL else "")
    return WayIn(found, widest, platform, front.kind == NO_PROXY and not platform)


def _addresses(model: Model, settings: Settings) -> Iterator[Address]:
    for service in model.of_role(API, FRONT):
        names = (
            (("LAGO_FRONT_URL", FRONT), ("LAGO_API_URL", API)) if service.role == API else (("API_URL", API),)
        )
        for name, role in names:
            value = service.value(name)
            url = public_url(value) if "://" in value and not unknown(value) else None
            if url:
                yield _of(model, role, url, f"{name} of {service.name}", service, name)
        # Only read where a URL isn't set.
        unset = not any(service.value(name) for name, _ in names)
        domain = service.value(DOMAIN) if unset else ""
        if domain and not unknown(domain) and (url := public_url(domain)):
            yield _of(model, service.role or "", url, f"{DOMAIN} of {service.name}", service, DOMAIN)
        for host in virtual_hosts(service):
            if url := public_url(host):
                yield _of(
                    model, service.role or "", url, f"VIRTUAL_HOST of {service.name}", service, "VIRTUAL_HOST"
                )
        for router in routers(service) if not disabled(service) else ():
            for host in router.hosts:
                url = None if unknown(host) else public_url(host)
                if url:
                    by = f"the router {router.name} of {service.name}"
                    yield Address(
                        service.role or "", url, scope_of(model, url), by, router.label("rule"), service
                    )
    for role, entry in ((FRONT, "hosts.front"), (API, "hosts.api")):
        if url := settings.url(role):
            yield Address(role, url, scope_of(model, url), f"{entry} of the settings", ())


def _of(model: Model, role: str, url: PublicUrl, by: str, service: Service, name: str) -> Address:
    at = ("services", service.name, "environment", name)
    return Address(role, url, scope_of(model, url), by, at, service, name)


def virtual_hosts(service: Service) -> list[str]:
    """The names under which nginx-proxy serves a service, without those that only it can read (~expressions, *.wildcards)."""
    each = (name.strip() for name in service.value("VIRTUAL_HOST").split(","))
    return [name for name in each if name and not unknown(name) and not name.startswith(("~", "*"))]


def scope_of(model: Model, url: PublicUrl) -> Scope:
    """From where a URL is reached. A name without a domain is one of a LAN if its port is published, else Docker's."""
    host = url.host
    own = {each.name for each in model.services} | {each.container_name for each in model.services}
    aliases = {alias for each in model.services for names in each.networks.values() for alias in names}
    # A public name may be an alias too, so that containers reach the proxy by it.
    inner = "." not in host or host.endswith(_LOCAL_DOMAINS)
    if host in _NO_PLACE or inner and (host in own or host in aliases):
        return Scope.CONTAINERS
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith(".localhost"):
            return Scope.MACHINE
        if "." not in host:
            ports = [port for each in model.services for port in each.ports]
            # Ports 80 and 443 may be those of a proxy on the host, which reaches a published port.
            served = any(_is_published(port, url.port) for port in ports) or url.port in (80, 443) and ports
            return Scope.NETWORK if served else Scope.CONTAINERS
        return Scope.NETWORK if host.endswith(_LOCAL_DOMAINS) else Scope.PUBLIC
    if address.is_loopback:
        return Scope.MACHINE
    return Scope.NETWORK if any(address in network for network in _PRIVATE) else Scope.PUBLIC


def _is_published(port: Port, wanted: int) -> bool:
    return not port.loopback and wanted in published_as(port)


def published_as(port: Port) -> range:
    """The ports of the host that a published port may take; none where Docker chooses it, or where the deploy sets it."""
    first, _, last = port.published.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return range(0)
    return range(int(first), int(last or first) + 1) if int(first) else range(0)


def is_private(address: str) -> bool | None:
    """Whether an address to listen on belongs to this machine or a private network; None where it isn't known."""
    if unknown(address):
        return None
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address == "localhost"
    return any(found in network for network in _PRIVATE)


def is_address(host: str) -> bool:
    """Whether a host is an address or localhost: no other machine can answer in its place."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
