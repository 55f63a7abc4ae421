"""Rules about how containers run: names, ports, images, limits and rights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.findings import Severity
from lago_acceptance.lago_reading import version_of
from lago_acceptance.model import Model, Service
from lago_acceptance.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, PROXY, REDIS, WORKER
from lago_acceptance.rules import Hit, rule
from lago_acceptance.rules.looking import lago, part, reference
from lago_acceptance.settings import Settings
from lago_acceptance.values import unknown

OURS = (DB, REDIS, MIGRATE, API, WORKER, CLOCK, FRONT, PDF)
FLOATING = ("latest", "main", "master", "edge", "nightly", "stable", "dev")
GIB = 2**30


@rule("hardcoded-container-name", phase=0, severity=Severity.WARNING, declared_only=True)
def container_name(model: Model, settings: Settings) -> Iterator[Hit]:
    """Containers get their names from Compose.

    A fixed container_name collides with a second stack on the host, and after a half-removed one the same
    name resolves to several containers.
    """
    for service in model.of_role(*OURS):
        if service.container_name:
            yield Hit(
                service=service,
                at=part(service, "container_name"),
                wrong=f"its container name is fixed: {service.container_name}",
                leads_to="a second stack, or the remains of the last one, stops the deploy: name "
                "already in use",
                mend="take container_name out; the service's name resolves on its networks as it is",
            )


@rule("host-port-published", phase=2)
def host_port(model: Model, settings: Settings) -> Iterator[Hit]:
    """Nothing is published on all interfaces: Traefik is the way in, and Docker's rules pass by the host's firewall."""
    for service in model.of_role(*OURS):
        for number, port in enumerate(service.ports):
            if not port.loopback and not unknown(port.address):
                data = service.role in (DB, REDIS)
                shown = port.published or "a random port"
                yield Hit(
                    service=service,
                    at=part(service, "ports", number),
                    severity=None if data else Severity.WARNING,
                    wrong=f"port {port.target} is published on {port.address or 'all interfaces'} ({shown})",
                    leads_to="the internet reaches it, past Traefik, TLS and the firewall; the port may be "
                    "another project's"
                    if not data
                    else "the internet reaches the database, past the firewall",
                    mend="take the port out"
                    if data
                    else f"take it out, or publish it on 127.0.0.1:{port.published or port.target}",
                )


@rule("privileged-container", phase=2)
def privileged(model: Model, settings: Settings) -> Iterator[Hit]:
    """No container of Lago is privileged."""
    for service in model.services:
        if service.privileged:
            yield Hit(
                service=service,
                at=part(service, "privileged"),
                wrong="it runs privileged",
                leads_to="who breaks into it owns the host",
                mend="take `privileged` out; nothing of Lago needs it",
            )


@rule("docker-socket-mounted", phase=2)
def docker_socket(model: Model, settings: Settings) -> Iterator[Hit]:
    """No container but the proxy has Docker's socket, and the proxy has it read-only."""
    for service in model.services:
        for number, mount in enumerate(service.mounts):
            if mount.source.endswith("/docker.sock") and (service.role != PROXY or not mount.read_only):
                yield Hit(
                    service=service,
                    at=part(service, "volumes", number),
                    severity=Severity.WARNING if service.role == PROXY else None,
                    wrong="Docker's socket is mounted" + (" writable" if service.role == PROXY else ""),
                    leads_to="who breaks into it owns the host",
                    mend="take the mount out" if service.role != PROXY else "mount it read-only (:ro)",
                )


@rule("host-network", phase=2, severity=Severity.WARNING)
def host_network(model: Model, settings: Settings) -> Iterator[Hit]:
    """Lago's containers are on networks of their own, not on the host's."""
    for service in model.of_role(*OURS):
        if service.network_mode == "host":
            yield Hit(
                service=service,
                at=part(service, "network_mode"),
                wrong="it uses the host's network",
                leads_to="every port that it opens is open to the internet, and service names don't resolve",
                mend="take network_mode out",
            )


def _tag(service: Service) -> str:
    name, _, digest = service.image.partition("@")
    return digest or (name.rpartition(":")[2] if ":" in name.rsplit("/", 1)[-1] else "")


@rule("image-not-pinned", phase=2, severity=Severity.WARNING, declared_only=True)
def not_pinned(model: Model, settings: Settings) -> Iterator[Hit]:
    """Images are named by a version or a digest; Lago's by the exact version."""
    for service in model.of_role(*OURS):
        tag = _tag(service)
        lagos = service.role in (*LAGO_RUBY, FRONT) and "getlago/" in service.image
        exact = "@" in service.image or re.fullmatch(r"v?\d+\.\d+\.\d+\S*", tag)
        if (
            service.built
            or not service.image
            or unknown(service.image)
            or (exact if lagos else tag and tag not in FLOATING)
        ):
            continue
        yield Hit(
            service=service,
            at=part(service, "image"),
            wrong=f"its image {service.image} names no exact version",
            leads_to="the next pull runs another version, whose migrations can't be taken back",
            mend="name the version: getlago/api:v1.16.0",
        )


@rule("image-version-drift", phase=2, declared_only=True)
def version_drift(model: Model, settings: Settings) -> Iterator[Hit]:
    """migrate, api, worker and clock are one image, and the front is of the same version."""
    first = reference(model)
    if first is None or first.built:
        return
    for service in (*lago(model), *model.of_role(FRONT)):
        if service is first or service.built or not service.image or unknown(service.image + first.image):
            continue
        front = service.role == FRONT
        other = _tag(service) != _tag(first) and not (front and ("@" in service.image or "@" in first.image))
        if other and (not front or "lago" in service.image):
            behind = front and version_of(service, settings) is not None
            yield Hit(
                service=service,
                at=part(service, "image"),
                severity=Severity.WARNING if behind else None,
                wrong=f"it is {_tag(service)[:24] or 'latest'}, and {first.name} is "
                f"{_tag(first)[:24] or 'latest'}",
                leads_to="the page asks for what the API doesn't have"
                if front
                else "schema and code don't fit: jobs and calls answer 500",
                mend="one version for all, by an anchor or one variable",
            )


@rule("memory-limit-low", phase=2, severity=Severity.WARNING)
def memory(model: Model, settings: Settings) -> Iterator[Hit]:
    """Memory limits are such that Lago fits in: 1 GiB at least for the API, half of it for the others."""
    for service in lago(model):
        least = GIB if service.role == API else GIB // 2
        if service.memory and service.memory < least:
            yield Hit(
                service=service,
                at=part(service),
                wrong=f"its memory limit is {service.memory // 2**20} MiB",
                leads_to="the kernel kills it while it boots or bills (exit 137)",
                mend=f"mem_limit: {'1536m' if service.role == API else '1g'}",
            )


@rule("external-volume-unprovisioned", phase=0, severity=Severity.WARNING, declared_only=True)
def external_volumes(model: Model, settings: Settings) -> Iterator[Hit]:
    """Volumes are made by Compose: an external one must have been made by hand, on every host."""
    for volume in model.volumes:
        if volume.external:
            yield Hit(
                at=("volumes", volume.key),
                wrong=f"volume {volume.name} is external: nobody creates it",
                leads_to="on a new host the deploy stops: external volume not found; under another "
                "name the database is empty",
                mend="let Compose make it (take `external` out and keep `name`)",
            )


@rule("external-network-unprovisioned", phase=0, severity=Severity.WARNING, declared_only=True)
def external_networks(model: Model, settings: Settings) -> Iterator[Hit]:
    """External networks are those that the host has: the proxy's and the gateway's (settings)."""
    known = {settings.edge.proxy_network, settings.edge.gateway_network}
    for network in model.networks:
        if network.external and network.name not in known and not unknown(network.name):
            yield Hit(
                at=("networks", network.key),
                wrong=f"network {network.name} is external, and not one that the host is known to have",
                leads_to="the deploy stops: network declared as external, but could not be found",
                mend=f"use {' or '.join(sorted(known))}, or let Compose make it",
            )
