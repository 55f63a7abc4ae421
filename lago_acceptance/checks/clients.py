"""Who is connected to the deployment's stores, and is neither one of its containers nor a named exception."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

import msgspec

from lago_acceptance.core.roles import GATEWAY
from lago_acceptance.core.settings import Settings
from lago_acceptance.facts.types import Container, Facts


class Client(msgspec.Struct, frozen=True):
    """A client of a store: its address ("" for a socket), and the names that it gives itself."""

    address: str
    names: tuple[str, ...] = ()


class Stranger(msgspec.Struct, frozen=True):
    """A client that belongs to nobody who should be there. ``owner`` is its container on this host, None where it is none."""

    client: Client
    owner: Container | None

    @property
    def who(self) -> str:
        """The client in words."""
        if self.owner is None:
            named = ", ".join(filter(None, self.client.names))
            return (
                f"{self.client.address}{f' ({named})' if named else ''}, which is no container of this host"
            )
        project = (
            f" of the project {self.owner.project}" if self.owner.project else ", which belongs to no project"
        )
        return f"{self.owner.name}{project} ({self.client.address})"


def strangers(facts: Facts, settings: Settings, seen: Iterable[Client]) -> Iterator[Stranger]:
    """Those of some clients that are no container of the deployment, not the gateway, not local to the store (a socket, a
    loopback address: so does this suite ask), and not named in deployment.clients.
    """
    own = {each.id for each in facts.containers}
    named = settings.deployment.clients
    for client in seen:
        address = _address(client.address)
        if address is None or is_local(client.address):
            continue
        owner = facts.owner(str(address))
        if owner and (owner.id in own or owner.role == GATEWAY or owner.id in facts.gateways):
            continue
        names = {*client.names, *((owner.name, owner.service.name) if owner else ())}
        if not any(each in names or _holds(each, address) for each in named):
            yield Stranger(client, owner)


def is_local(address: str) -> bool:
    """Whether a client is in the store's own container: at a socket or a loopback address."""
    found = _address(address)
    return found is None or found.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; one of IPv4 that is written as IPv6 is that of IPv4."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped if found.version == 6 else None) or found


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
