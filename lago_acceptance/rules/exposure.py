"""Rules about what is reachable from outside, and about privileges on the host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, FRONT, PDF, REDIS
from lago_acceptance.core.settings import NO_PROXY, OTHER, Settings
from lago_acceptance.model.deployment import Model, Port, Service
from lago_acceptance.model.front_proxy import front_proxy, serves_the_proxy
from lago_acceptance.model.traefik_labels import (
    enabled,
    labels_of,
    routers,
)
from lago_acceptance.model.way_in import Scope, is_private, published_as, way_in
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, part, variable
from lago_acceptance.rules.helpers.data_stores import is_lagos, stores
from lago_acceptance.rules.helpers.public_pages import CONSOLE, exposure
from lago_acceptance.rules.helpers.remedies import is_or_falls_back


@rule(phase=2, follows=("sidekiq-console-open",))
def sidekiq_web_open(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sidekiq's web UI, which has no authentication, is off or closed at the proxy."""
    for service in model.of_role(API):
        way = exposure(model, service, CONSOLE)
        closed = routers(service) and way is None
        if service.value("LAGO_SIDEKIQ_WEB") == "true" and not closed:
            yield Violation(
                service=service,
                at=variable(service, "LAGO_SIDEKIQ_WEB"),
                problem=f"LAGO_SIDEKIQ_WEB {is_or_falls_back(model, service, 'LAGO_SIDEKIQ_WEB')} true, which serves "
                "/sidekiq without authentication",
                impact=f"anyone who reaches {way.where if way else 'the API'} can read and delete jobs",
                fix="remove LAGO_SIDEKIQ_WEB",
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
    return is_private(port.address) is False


def _is_the_way_in(model: Model, settings: Settings, service: Service, port: Port) -> bool:
    """Whether a port is how browsers are meant to come: one in an http URL that others use, or those of a front with TLS."""
    if service.role == FRONT and any(each.target == 443 for each in service.ports):
        return True
    way = way_in(model, settings)
    if not way.plain or way.scope is None or way.scope < Scope.NETWORK:
        return False
    return any(each.url.port in published_as(port) for each in way.addresses)


def _past(model: Model, settings: Settings) -> str:
    """What a port that is open to all means, by how browsers are meant to come."""
    way, front = way_in(model, settings), front_proxy(model, settings)
    if way.scope == Scope.MACHINE:
        return "its URL is for this machine only, and others reach the port all the same, past the host's firewall"
    proxied = front.service or front.kind not in (OTHER, NO_PROXY) or way.scope == Scope.PUBLIC
    return f"the internet reaches it without {'the proxy, ' if proxied else ''}TLS or the host's firewall"


@rule(phase=2)
def host_port_published(model: Model, settings: Settings) -> Iterator[Violation]:
    """No port is published on an address that the internet reaches.

    Requests come in through the proxy. Docker's own iptables rules bypass the host's firewall, so a port that is
    published on all interfaces is open to the internet. On 127.0.0.1, on Docker's bridge or on an address of a private
    network it is not. The ports of API and front that an http URL of another machine names are not judged: they are how
    browsers come in (http-only), nor are those of a front that has TLS itself.
    """
    others = [(service, service.role or "") for service in model.of_role(*OURS) if service.role not in _DATA]
    for service, role in (*others, *stores(model)):
        for number, port in enumerate(service.ports):
            if not _from_outside(port):
                continue
            if role in (API, FRONT) and _is_the_way_in(model, settings, service, port):
                continue
            yield Violation(
                service=service,
                at=part(service, "ports", number),
                severity=None if role in _DATA else Severity.WARNING,
                problem=f"port {port.target} is published on {port.address or 'all interfaces'} "
                f"({port.published or 'a random port'})",
                impact=_REACHED[role]
                if role in _REACHED and is_lagos(model, service)
                else _past(model, settings),
                fix=f"remove the port, or publish it on 127.0.0.1:{port.published or port.target}"
                if role not in (API, FRONT) or not way_in(model, settings).plain
                else f"publish it on 127.0.0.1:{port.published or port.target}",
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


# Programs that let others ask Docker for a few things only.
_FILTERS_SOCKET = re.compile(r"(^|/)(docker-)?socket-?proxy\b|/docker-socket-proxy\b")


@rule(phase=2)
def docker_socket_mounted(model: Model, settings: Settings) -> Iterator[Violation]:
    """Only the proxy and its parts mount Docker's socket, and read-only.

    A warning for services that aren't Lago's: their work may need it, but who breaks into one controls Lago's host as well.
    """
    for service in model.services:
        for number, mount in enumerate(service.mounts):
            if not mount.source.endswith("/docker.sock"):
                continue
            needs = serves_the_proxy(service) or bool(_FILTERS_SOCKET.search(service.image))
            if needs and mount.read_only:
                continue
            ours = service.role in OURS
            yield Violation(
                service=service,
                at=part(service, "volumes", number),
                severity=None if ours else Severity.WARNING,
                problem="Docker's socket is mounted" + (" writable" if needs else ""),
                impact="anyone who breaks into the container controls the host",
                fix="mount it read-only (:ro)"
                if needs
                else "remove the mount"
                if ours
                else "remove the mount, or put a program before the socket that only lets through what it needs",
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
