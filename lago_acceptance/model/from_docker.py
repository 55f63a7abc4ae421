"""The model of a running container, from what `docker inspect` tells."""

from __future__ import annotations

from typing import Any

from lago_acceptance.core.roles import role_of
from lago_acceptance.model.deployment import Healthcheck, Mount, Port, Service
from lago_acceptance.model.from_compose import _words
from lago_acceptance.model.units import seconds


def observed_service(raw: dict[str, Any], environment: dict[str, str]) -> Service:
    """The model of one container, from the template of scripts/collect.sh."""
    labels = raw.get("labels") or {}
    host = raw.get("host") or {}
    check = raw.get("healthcheck")
    entrypoint, command = _words(raw.get("entrypoint")), _words(raw.get("command"))
    project = labels.get("com.docker.compose.project", "")
    networks = {}
    for network, options in (raw.get("networks") or {}).items():
        networks[network.removeprefix(f"{project}_") if project else network] = tuple(
            (options or {}).get("Aliases") or ()
        )
    return Service(
        name=labels.get("com.docker.compose.service") or raw["name"].lstrip("/"),
        image=raw.get("image", ""),
        role=role_of(raw.get("image", ""), " ".join((raw.get("path", ""), *_words(raw.get("args")))), labels),
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
        networks=networks,
        network_mode=host.get("NetworkMode", ""),
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
            _words(check.get("Test")),
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
        privileged=bool(host.get("Privileged")),
        logging=host.get("LogConfig") or {},
    )
