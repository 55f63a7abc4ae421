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
    """Those of some clients that are strangers, with their containers; see ``is_stranger``."""
    for client in seen:
        if is_stranger(facts, settings, client.address, client.names):
            yield Stranger(client, facts.owner(str(_address(client.address))))


def is_stranger(facts: Facts, settings: Settings, at: str, names: Iterable[str]) -> bool:
    """Whether a client is no container of the deployment, not the gateway, not local to the store (a socket, a loopback
    address: so does this suite ask), and not named in deployment.clients.

    A container on the host's own network has the address of the host: where the deployment has one, an address that is
    no container's may be it.
    """
    address = _address(at)
    if address is None or is_local(at):
        return False
    owner = facts.owner(str(address))
    if owner and (owner in facts.containers or owner.role == GATEWAY or owner.id in facts.gateways):
        return False
    if owner is None and any(each.service.network_mode == "host" for each in facts.containers):
        return False
    known = {*names, *((owner.name, owner.service.name) if owner else ())}
    return not any(each in known or _holds(each, address) for each in settings.deployment.clients)


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
