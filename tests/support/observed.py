"""What a live host shows of a declared deployment, read by the code that reads a live host.

The containers are written down as ``docker inspect`` shows them, pass through facts/scripts/mask.awk under the awk of
this machine, and become a model by ``observe``: only Docker itself is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from typing import Any

from lago_acceptance.core.value_shapes import GIVEN_LATER, given_later
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.script_output import begin, end
from lago_acceptance.facts.scripts import render
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.model.deployment import Model, Mount, Service
from tests.support.material import material
from tests.support.patience import PATIENCE

MASK = render.script("mask.awk")
STARTED = "2026-11-24T10:00:00.000000000Z"
# What images bring along: their entry point, command, variables, volumes, ports and working directory.
_IMAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        r"getlago/api",
        {"command": ["./scripts/start.sh"], "environment": {"LANG": "C.UTF-8"}, "working_dir": "/app"},
    ),
    (
        r"getlago/front",
        {
            "entrypoint": ["/bin/bash", "-c", './.env.sh && nginx -g "daemon off;"'],
            "environment": {"NGINX_VERSION": "1.27.5"},
            "ports": ["80/tcp"],
        },
    ),
    (
        r"bitnami\w*/postgresql",
        {
            "entrypoint": ["/opt/bitnami/scripts/postgresql/entrypoint.sh"],
            "command": ["/opt/bitnami/scripts/postgresql/run.sh"],
            "volumes": ["/bitnami/postgresql", "/docker-entrypoint-initdb.d"],
        },
    ),
    (
        r"bitnami\w*/(redis|valkey)",
        {
            "entrypoint": ["/opt/bitnami/scripts/redis/entrypoint.sh"],
            "command": ["/opt/bitnami/scripts/redis/run.sh"],
        },
    ),
    (
        r"postgres",
        {
            "entrypoint": ["docker-entrypoint.sh"],
            "command": ["postgres"],
            "environment": {"PG_MAJOR": "14", "PGDATA": "/var/lib/postgresql/data"},
            "volumes": ["/var/lib/postgresql/data"],
        },
    ),
    (
        r"redis",
        {"entrypoint": ["docker-entrypoint.sh"], "command": ["redis-server"], "volumes": ["/data"]},
    ),
    (r"gotenberg", {"entrypoint": ["/usr/bin/tini", "--"], "command": ["gotenberg"]}),
    (r"traefik", {"entrypoint": ["/entrypoint.sh"], "command": ["traefik"]}),
    (
        r"vault",
        {
            "entrypoint": ["docker-entrypoint.sh"],
            "command": ["server", "-dev"],
            "volumes": ["/vault/file", "/vault/logs"],
        },
    ),
)
# What deploys give, by the end of a variable's name; anything else is random digits.
_LIKELY = {
    "worker-rsa-private-key": "B64_OTHER",
    "rsa-private-key": "B64",
    "redis-password": "HEX32",
    "rails-env": "production",
    "domain": "billing.example.com",
    "email": "admin@bizoholic.net",
    "api-url": "https://billing-api.bizoholic.net",
    "front-url": "https://billing.bizoholic.net",
    "pdf-url": "http://pdf.billing.internal:3000",
    "log-to-stdout": "true",
    "disable-signup": "true",
}


class _Printed(Host):
    """A host that answers with a text."""

    name, compose_command = "twin", ""

    def __init__(self, output: str):
        self.output = output

    def read(self, reading: ReadCommand) -> str:
        nonce = reading.variables["nonce"]
        return f"{begin(nonce)}{self.output}{end(nonce)}"


def observed(model: Model, given: dict[str, str]) -> Model:
    """The model that a host shows on which a declared deployment was brought up, with some variables given."""
    # What Compose replaces by nothing is nothing in a container.
    deploy = _Deploy({**dict.fromkeys(model.source.blank if model.source else (), ""), **given})
    containers = [_container(service, model, deploy) for service in model.services if model.starts(service)]
    table = "".join(
        f"C\t{raw['id']}\t{_as_go(raw)}\n"
        + "".join(f"E\t{raw['id']}\t{json.dumps(entry, ensure_ascii=False)}\n" for entry in environment)
        for raw, environment in containers
    )
    masked = subprocess.run(
        ["awk", "-v", f"scope= {' '.join(raw['id'] for raw, _ in containers)} ", MASK],
        input=table,
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        timeout=PATIENCE,
    ).stdout
    sections = {
        "project": [model.project],
        "scope": [raw["id"] for raw, _ in containers],
        "networks": [
            json.dumps(name)
            for name in ("bridge", "host", "none", *(network.name for network in model.networks))
        ],
        "volumes": [json.dumps(volume.name) for volume in model.volumes],
        "clock": ["1764000000.0 1764000000.1"],
    }
    lines = "".join(f"{name} {line}\n" for name, section in sections.items() for line in section)
    return observe(_Printed(f"{masked}{lines}")).model()


def _as_go(raw: dict[str, Any]) -> str:
    """JSON as Go's templates write it."""
    text = json.dumps(raw, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _set_at_start(service: Service, name: str) -> bool:
    """Whether only the command sets a variable, as far as one knows: `docker inspect` doesn't show it."""
    by_file = service.environment_elsewhere.startswith("env_file")
    return (
        bool(service.environment_elsewhere) and not by_file and service.environment[name] == given_later(name)
    )


class _Deploy:
    """The values that a deploy gives to the variables that the file only names."""

    def __init__(self, given: dict[str, str]):
        self.given = {given_later(name).removeprefix(GIVEN_LATER): value for name, value in given.items()}

    def text(self, text: str) -> str:
        """A text with its placeholders replaced by those values."""
        return re.sub(
            rf"{GIVEN_LATER}([a-z0-9]+(?:-[a-z0-9]+)*)",
            lambda found: self.given[found[1]] if found[1] in self.given else _likely(found[1]),
            text,
        )

    def texts(self, values: dict[str, str]) -> dict[str, str]:
        return {name: self.text(value) for name, value in values.items()}


def _likely(variable: str) -> str:
    for ending, value in _LIKELY.items():
        if variable.endswith(ending):
            return material().get(value, value)
    return _digits(variable.removesuffix("-encoded"))[:48]


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _container(service: Service, model: Model, deploy: _Deploy) -> tuple[dict[str, Any], list[str]]:
    """The fields of scripts/collect.sh for a service's container, and its variables as NAME=value."""
    image = service.image if not service.built else service.image or f"{model.project}-{service.name}"
    brought = next((own for pattern, own in _IMAGES if re.search(pattern, image)), {})
    entrypoint = list(service.entrypoint) or brought.get("entrypoint", [])
    # An entry point of the compose file takes the image's command away.
    command = list(service.command) or ([] if service.entrypoint else brought.get("command", []))
    words = [deploy.text(word) for word in (*entrypoint, *command)]
    name = service.container_name or f"{model.project}-{service.name}-1"
    variables = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        **brought.get("environment", {}),
        **{
            name: value
            for name, value in service.environment.items()
            if value is not None and not _set_at_start(service, name)
        },
    }
    ports: dict[str, list[dict[str, str]]] = {}
    for port in service.ports:
        ports.setdefault(f"{port.target}/{port.protocol}", []).append(
            {"HostIp": port.address, "HostPort": port.published}
        )
    exposed = {
        each: None for each in (*brought.get("ports", []), *(f"{port}/tcp" for port in service.expose))
    }
    networks = _networks(service, model)
    raw = {
        "id": _digits(name),
        "name": f"/{name}",
        "created": STARTED,
        "path": words[0] if words else "",
        "args": words[1:],
        "state": {"Status": "running", "Running": True, "ExitCode": 0, "StartedAt": STARTED},
        "restarts": 0,
        "log_path": "",
        "image_id": f"sha256:{_digits(image)}",
        "image": deploy.text(image),
        "user": service.user,
        "stop_timeout": service.stop_grace_period and int(service.stop_grace_period),
        "stop_signal": service.stop_signal,
        "working_dir": service.working_dir or brought.get("working_dir", ""),
        "command": words[len(entrypoint) :] or None,
        "entrypoint": words[: len(entrypoint)] or None,
        "labels": {
            **({} if service.labels_for_swarm else deploy.texts(service.labels)),
            "com.docker.compose.project": model.project,
            "com.docker.compose.service": service.name,
        },
        "healthcheck": _healthcheck(service, deploy),
        "mounts": _mounts(service, model, brought.get("volumes", [])),
        "host": {
            # Docker puts the name of a container's first network there.
            "NetworkMode": _mode(service) or next(iter(networks), "none"),
            "PortBindings": ports,
            "RestartPolicy": {"Name": service.restart.partition(":")[0] or "no", "MaximumRetryCount": 0},
            "Memory": service.memory or 0,
            "Privileged": service.privileged,
            "ExtraHosts": [
                f"{name}:{service.host_entries.get(name, '192.0.2.7')}" for name in service.extra_hosts
            ],
            "LogConfig": {
                "Type": service.logging.get("driver", "json-file"),
                "Config": service.logging.get("options", {}),
            },
            "ReadonlyRootfs": service.read_only,
            "Tmpfs": {path: "" for path in service.tmpfs} or None,
            "CapAdd": list(service.cap_add) or None,
            "CapDrop": list(service.cap_drop) or None,
            "SecurityOpt": list(service.security_opt) or None,
            "Init": service.init or None,
        },
        "networks": networks,
        "ports": {**exposed, **ports},
    }
    return raw, [f"{name}={deploy.text(value)}" for name, value in variables.items()]


def _mode(service: Service) -> str:
    """The network mode as Docker has it: the networks of another container are named by its id."""
    mode, _, holder = service.network_mode.partition(":")
    return f"container:{_digits(holder)}" if mode == "service" else service.network_mode


def _networks(service: Service, model: Model) -> dict[str, Any]:
    if service.network_mode.startswith("service:"):
        return {}
    if service.network_mode:
        return {service.network_mode: {"Aliases": None, "IPAddress": ""}}
    return {
        model.network_name(key): {
            "Aliases": [
                service.container_name or f"{model.project}-{service.name}-1",
                service.name,
                *aliases,
            ],
            "IPAddress": "172.18.0.2",
        }
        for key, aliases in service.networks.items()
    }


def _healthcheck(service: Service, deploy: _Deploy) -> dict[str, Any] | None:
    check = service.healthcheck
    if check is None:
        return None
    times = {"Interval": check.interval, "Timeout": check.timeout, "StartPeriod": check.start_period}
    return {
        "Test": [deploy.text(word) for word in check.test],
        **{name: int(seconds * 1e9) for name, seconds in times.items() if seconds},
        **({"Retries": check.retries} if check.retries else {}),
    }


def _mounts(service: Service, model: Model, brought: list[str]) -> list[dict[str, Any]]:
    """What is mounted: the declared, and an anonymous volume where the image wants one and nothing is."""
    mounts = [each for each in service.mounts if each.kind != "config" or each.source.startswith("/")]
    targets = {mount.target.rstrip("/") for mount in mounts}
    mounts += [Mount("volume", "", target) for target in brought if target not in targets]
    names = {volume.key: volume.name for volume in model.volumes}
    shown = []
    for mount in mounts:
        target = mount.target.rstrip("/")
        one = {"Type": mount.kind, "Source": mount.source, "Destination": target, "RW": not mount.read_only}
        if mount.kind in ("secret", "config"):
            one["Type"] = "bind"
        elif mount.kind == "volume":
            name = names.get(mount.source, mount.source) or _digits(f"{service.name} {target}")
            one |= {"Name": name, "Source": f"/var/lib/docker/volumes/{name}/_data"}
        shown.append(one)
    return shown
