"""The model of a running container, from what `docker inspect` shows."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from lago_acceptance.core.roles import role_of
from lago_acceptance.model.deployment import Healthcheck, Mount, Port, Service
from lago_acceptance.model.from_compose import words
from lago_acceptance.model.hidden_labels import as_written
from lago_acceptance.model.units import seconds

PROJECT_LABEL = "com.docker.compose.project"
# Each says the same of a container that Compose did not start: Podman's own Compose, a stack of Swarm's.
_PROJECT_LABELS = (PROJECT_LABEL, "io.podman.compose.project", "com.docker.stack.namespace")
SWARM_SERVICE = "com.docker.swarm.service.name"


def project_of(labels: Mapping[str, str]) -> str:
    """The Compose project of a container, or the stack of Swarm's that it belongs to; "" where it belongs to none."""
    return next((labels[each] for each in _PROJECT_LABELS if labels.get(each)), "")


def _service_of(labels: Mapping[str, str]) -> str:
    """The name of a container's service in its file: Swarm puts the stack's name before it."""
    swarm = labels.get(SWARM_SERVICE, "").removeprefix(f"{labels.get('com.docker.stack.namespace', '')}_")
    return labels.get("com.docker.compose.service") or swarm


def own_name(network: str, project: str) -> str:
    """The name of a network in its project's compose file; other networks keep Docker's name."""
    return network.removeprefix(f"{project}_") if project else network


def _signal(given: object) -> str:
    """A signal's name; Podman gives its number."""
    if isinstance(given, int) and given in signal.valid_signals():
        return signal.Signals(given).name
    return given if isinstance(given, str) else ""


def _network_mode(mode: str) -> str:
    """The mode of a container without networks of its own, else "": Docker puts a network's name there."""
    return mode if mode in ("host", "none") or mode.startswith("container:") else ""


def _names_on(network: dict[str, Any]) -> tuple[str, ...]:
    """The names of a container on a network. Newer versions of Docker list its hostname in DNSNames only."""
    return tuple(dict.fromkeys((*(network.get("Aliases") or ()), *(network.get("DNSNames") or ()))))


def _extra_hosts(host: dict[str, Any], networks: dict[str, Any]) -> tuple[str, ...]:
    """The host names from `extra_hosts` and `links`."""
    linked = (link for network in networks.values() for link in (network or {}).get("Links") or ())
    names = (
        *(str(link).rpartition(":")[2] for link in linked),
        *(str(entry).partition(":")[0] for entry in host.get("ExtraHosts") or ()),
    )
    return tuple(dict.fromkeys(names))


def observed_service(raw: dict[str, Any], environment: dict[str, str]) -> Service:
    """The model of one container, from the template of scripts/collect.sh."""
    labels = dict(as_written(raw.get("labels") or {}))
    host = raw.get("host") or {}
    check = raw.get("healthcheck")
    entrypoint, command = words(raw.get("entrypoint")), words(raw.get("command"))
    project = project_of(labels)
    networks = raw.get("networks") or {}
    return Service(
        name=_service_of(labels) or raw["name"].lstrip("/"),
        image=raw.get("image", ""),
        role=role_of(raw.get("image", ""), " ".join((raw.get("path", ""), *words(raw.get("args")))), labels),
        entrypoint=entrypoint,
        command=command,
        environment=dict(environment),
        labels=labels,
        mounts=tuple(
            Mount(
                mount.get("Type", ""),
                mount.get("Name") if mount.get("Type") == "volume" else mount.get("Source", ""),
                mount.get("Destination", ""),
                not mount.get("RW", True),
            )
            for mount in raw.get("mounts") or []
        ),
        networks={own_name(name, project): _names_on(options or {}) for name, options in networks.items()},
        network_mode=_network_mode(host.get("NetworkMode", "")),
        ports=tuple(
            Port(
                binding.get("HostIp", ""),
                str(binding.get("HostPort", "")),
                int(target.split("/")[0]),
                target.split("/")[-1],
            )
            for target, bindings in (host.get("PortBindings") or {}).items()
            for binding in bindings or []
        ),
        healthcheck=Healthcheck(
            words(check.get("Test")),
            seconds(check.get("Interval")),
            seconds(check.get("Timeout")),
            check.get("Retries"),
            seconds(check.get("StartPeriod")),
        )
        if check
        else None,
        restart=(host.get("RestartPolicy") or {}).get("Name", ""),
        container_name=raw["name"].lstrip("/"),
        memory=host.get("Memory") or None,
        cpus=nano / 1e9 if isinstance(nano := host.get("NanoCpus"), int) and nano > 0 else None,
        pids=most if isinstance(most := host.get("PidsLimit"), int) and most > 0 else None,
        dns=tuple(host.get("Dns") or ()),
        shares_mounts=bool(host.get("VolumesFrom")),
        privileged=bool(host.get("Privileged")),
        logging=host.get("LogConfig") or {},
        working_dir=raw.get("working_dir") or "",
        extra_hosts=_extra_hosts(host, networks),
        host_entries={
            name: address.strip("[]")
            for name, _, address in (str(entry).partition(":") for entry in host.get("ExtraHosts") or ())
        },
        user=raw.get("user") or "",
        read_only=bool(host.get("ReadonlyRootfs")),
        tmpfs=tuple(host.get("Tmpfs") or ()),
        cap_add=tuple(host.get("CapAdd") or ()),
        cap_drop=tuple(host.get("CapDrop") or ()),
        security_opt=tuple(host.get("SecurityOpt") or ()),
        stop_grace_period=raw.get("stop_timeout"),
        stop_signal=_signal(raw.get("stop_signal")),
        init=bool(host.get("Init")),
        expose=tuple(
            int(number) for each in raw.get("ports") or {} if (number := each.split("/")[0]).isdigit()
        ),
    )
