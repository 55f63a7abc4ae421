"""Containers and the declaration behind them, from what scripts/collect.sh prints of them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.types import Container
from lago_acceptance.facts.untrusted import decoded
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.from_docker import observed_service, project_of

# Python reads no nanoseconds.
_ZONED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.\d]*(Z|[+-]\d\d:\d\d)")


def containers(text: str, environments: dict[str, dict[str, str]]) -> tuple[Container, ...]:
    """All containers of the host, one JSON object a line, with their (masked) variables by container id."""
    objects = (decoded(line) for line in text.split("\n"))
    return tuple(
        container_from(each, environments.get(each["id"], {})) for each in objects if isinstance(each, dict)
    )


def container_from(raw: dict[str, Any], environment: dict[str, str]) -> Container:
    """A container from one object of collect.sh's template and its (masked) variables."""
    state = raw.get("state") or {}
    health = state.get("Health") or {}
    tries = health.get("Log") or []
    labels = raw.get("labels") or {}
    return Container(
        id=raw["id"],
        name=raw["name"].lstrip("/"),
        project=project_of(labels),
        service=observed_service(raw, environment),
        status=state.get("Status", ""),
        running=bool(state.get("Running")),
        restarting=bool(state.get("Restarting")),
        exit_code=int(state.get("ExitCode", 0)),
        error=state.get("Error", ""),
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=int(raw.get("restarts", 0)),
        started_at=state.get("StartedAt", ""),
        health=health.get("Status") or None,
        # Redacted before it is cut: nothing would recognize a part of a secret.
        health_output=redact((tries[-1].get("Output") or "") if tries else "").strip()[:300],
        image_id=raw.get("image_id", ""),
        created_at=_moment(raw.get("created")),
        finished_at=_moment(state.get("FinishedAt")),
        failing_streak=streak if isinstance(streak := health.get("FailingStreak"), int) else 0,
        last_probe_at=_zoned(tries[-1].get("Start")) if tries else None,
        addresses={
            name: options["IPAddress"]
            for name, options in (raw.get("networks") or {}).items()
            if options and options.get("IPAddress")
        },
        published={
            target: tuple((each.get("HostIp", ""), each.get("HostPort", "")) for each in bindings)
            for target, bindings in (raw.get("ports") or {}).items()
            if bindings
        },
        hostname=raw.get("hostname") or "",
        addresses_v6=tuple(
            options["GlobalIPv6Address"]
            for options in (raw.get("networks") or {}).values()
            if options and options.get("GlobalIPv6Address")
        ),
    )


def _moment(stamp: object) -> str:
    """A timestamp of Docker's; "" where it is none, or the year 1, by which Docker says never."""
    return stamp if isinstance(stamp, str) and not stamp.startswith("0001-") else ""


def _zoned(stamp: object) -> float | None:
    """The time of a healthcheck (Unix time), which Docker writes in the host's own time zone."""
    found = _ZONED.fullmatch(stamp) if isinstance(stamp, str) else None
    try:
        return datetime.fromisoformat(found[1] + found[2]).timestamp() if found else None
    except ValueError:
        return None


def environments(text: str) -> tuple[dict[str, dict[str, str]], str]:
    """The configured variables of each container, and what Compose printed: lines "E <container> <name> <value>" and
    "D <line>"."""
    values: dict[str, dict[str, str]] = {}
    lines = []
    for line in text.split("\n"):
        if line.startswith("E\t"):
            _, container, name, value = line.split("\t", 3)
            values.setdefault(container, {})[name] = _unescaped(value)
        elif line.startswith("D\t"):
            lines.append(line[2:])
    return values, "\n".join(lines)


def declaration(text: str) -> tuple[Model | None, str]:
    """The model that Compose made of the files on the host, or why it could not."""
    if not text.strip():
        return None, ""
    if "out of memory" in text:
        return None, "Compose needed more than 400 MB for it, such as an env_file without end"
    if text.strip().endswith("exit 124"):
        return None, "Compose did not read it within 20 s, such as an env_file that is a pipe"
    raw = decoded(text[max(text.find("{"), 0) :])
    if not isinstance(raw, dict):
        return None, redact(text.strip())[:500]
    return declared(raw), ""


def _unescaped(value: str) -> str:
    text = decoded(f'"{value}"')
    return text if isinstance(text, str) else value
