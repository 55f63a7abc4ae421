"""Rules about what is reachable from outside, and about privileges on the host."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, PDF, PROXY, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Port
from lago_acceptance.model.traefik_labels import (
    enabled,
    labels_of,
    routers,
)
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, part, variable
from lago_acceptance.rules.helpers.data_stores import is_lagos, stores
from lago_acceptance.rules.helpers.public_pages import CONSOLE, exposure
from lago_acceptance.rules.helpers.remedies import is_or_falls_back


@rule(phase=2, follows=("sidekiq-console-open",))
def sidekiq_web_open(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sidekiq's web UI, which has no authentication, is off or closed at the proxy."""
    for service in model.of_role(API):
        closed = routers(service) and exposure(model, service, CONSOLE) is None
        if service.value("LAGO_SIDEKIQ_WEB") == "true" and not closed:
            yield Violation(
                service=service,
                at=variable(service, "LAGO_SIDEKIQ_WEB"),
                problem=f"LAGO_SIDEKIQ_WEB {is_or_falls_back(model, service, 'LAGO_SIDEKIQ_WEB')} true, which serves "
                "/sidekiq without authentication",
                impact="anyone can read and delete jobs at the API's public name",
                fix="remove LAGO_SIDEKIQ_WEB",
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
_DATA = (DB, REDIS)
_REACHED = {
    DB: "anyone on the internet can try passwords for PostgreSQL, which holds all billing data; the host's "
    "firewall doesn't stop it",
    REDIS: "anyone on the internet can read and delete Lago's jobs in Redis; the host's firewall doesn't stop it",
    PDF: "anyone on the internet can have it open pages inside your network; the host's firewall doesn't stop it",
}


def _from_outside(port: Port) -> bool:
    """Whether a published port can be reached from other networks than the host's own private ones."""
    try:
        address = ipaddress.ip_address(port.address.strip("[]"))
    except ValueError:
        return not port.loopback and not unknown(port.address)
    return not any(address in network for network in _PRIVATE)


@rule(phase=2)
def host_port_published(model: Model, settings: Settings) -> Iterator[Violation]:
    """No port is published on an address that the internet reaches.

    Requests come in through the proxy. Docker's own iptables rules bypass the host's firewall, so a port that is
    published on all interfaces is open to the internet. On 127.0.0.1, on Docker's bridge or on an address of a private
    network it is not.
    """
    others = [(service, service.role or "") for service in model.of_role(*OURS) if service.role not in _DATA]
    for service, role in (*others, *stores(model)):
        for number, port in enumerate(service.ports):
            if not _from_outside(port):
                continue
            yield Violation(
                service=service,
                at=part(service, "ports", number),
                severity=None if role in _DATA else Severity.WARNING,
                problem=f"port {port.target} is published on {port.address or 'all interfaces'} "
                f"({port.published or 'a random port'})",
                impact=_REACHED[role]
                if role in _REACHED and is_lagos(model, service)
                else "the internet reaches it without the proxy, TLS or the host's firewall",
                fix=f"remove the port, or publish it on 127.0.0.1:{port.published or port.target}",
            )


@rule(phase=2)
def privileged_container(model: Model, settings: Settings) -> Iterator[Violation]:
    """No container runs privileged."""
    for service in model.services:
        if service.privileged:
            yield Violation(
                service=service,
                at=part(service, "privileged"),
                problem="it runs privileged",
                impact="anyone who breaks into the container controls the host",
                fix="remove `privileged`; nothing in Lago needs it",
            )


@rule(phase=2)
def docker_socket_mounted(model: Model, settings: Settings) -> Iterator[Violation]:
    """Only the proxy mounts Docker's socket, and read-only."""
    for service in model.services:
        for number, mount in enumerate(service.mounts):
            if mount.source.endswith("/docker.sock") and (service.role != PROXY or not mount.read_only):
                yield Violation(
                    service=service,
                    at=part(service, "volumes", number),
                    severity=Severity.WARNING if service.role == PROXY else None,
                    problem="Docker's socket is mounted" + (" writable" if service.role == PROXY else ""),
                    impact="anyone who breaks into the container controls the host",
                    fix="remove the mount" if service.role != PROXY else "mount it read-only (:ro)",
                )


@rule(phase=3)
def db_routed(model: Model, settings: Settings) -> Iterator[Violation]:
    """The database and Redis have no router."""
    for service in model.of_role(DB, REDIS):
        if enabled(service) and any(".routers." in key for key in labels_of(service)):
            yield Violation(
                service=service,
                at=part(service, "labels"),
                problem="Traefik routes requests from the internet to it",
                impact=_REACHED[service.role or ""].partition(";")[0],
                fix="remove its traefik labels",
            )
