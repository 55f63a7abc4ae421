"""Rules about what is reachable from outside, and about privileges on the host."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, PROXY, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import (
    enabled,
    labels_of,
    routers,
)
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    OURS,
    part,
    variable,
)
from lago_acceptance.rules.public_paths import CONSOLE, exposure


@rule(phase=2, follows=("sidekiq-console-open",))
def sidekiq_web_open(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sidekiq's web UI, which has no authentication, is off or closed at the proxy."""
    for service in model.of_role(API):
        closed = routers(service) and exposure(model, service, CONSOLE) is None
        if service.value("LAGO_SIDEKIQ_WEB") == "true" and not closed:
            yield Violation(
                service=service,
                at=variable(service, "LAGO_SIDEKIQ_WEB"),
                problem="LAGO_SIDEKIQ_WEB serves /sidekiq without authentication",
                impact="anyone can read and delete jobs at the API's public name",
                fix="remove LAGO_SIDEKIQ_WEB",
            )


@rule(phase=2)
def host_port_published(model: Model, settings: Settings) -> Iterator[Violation]:
    """No port is published on all interfaces.

    Requests come in through Traefik. Docker's own iptables rules bypass the host's firewall, so a published
    port is open to the internet.
    """
    for service in model.of_role(*OURS):
        for number, port in enumerate(service.ports):
            if not port.loopback and not unknown(port.address):
                data = service.role in (DB, REDIS)
                shown = port.published or "a random port"
                yield Violation(
                    service=service,
                    at=part(service, "ports", number),
                    severity=None if data else Severity.WARNING,
                    problem=f"port {port.target} is published on {port.address or 'all interfaces'} "
                    f"({shown})",
                    impact="the internet reaches it without Traefik, TLS or firewall; another project may "
                    "use the same port"
                    if not data
                    else "the internet reaches the database, bypassing the firewall",
                    fix="remove the port"
                    if data
                    else f"remove it, or publish it on 127.0.0.1:{port.published or port.target}",
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
                impact="the database is reachable from the internet",
                fix="remove its traefik labels",
            )
