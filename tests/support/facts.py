"""Facts of a host that were never taken: what a test does not say is nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, get_origin

import msgspec

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import load
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.model.deployment import Service

NOW = 1_795_600_000.0
STARTED = "2026-11-24T10:00:00.000000000Z"
SETTINGS = load(ROOT / "settings.toml")
EVERY = (DB, REDIS, MIGRATE, API, WORKER, CLOCK, FRONT, PDF)


def container(role: str | None, environment: dict[str, str] | None = None, **more: Any) -> Container:
    """A healthy container of a role; its service is called so too."""
    service = Service(name=f"lago-{role}", image="", role=role, environment=environment or {})
    known = {
        "id": str(role),
        "name": f"lago-{role}-1",
        "project": "lago",
        "service": service,
        "status": "running",
        "running": True,
        "restarting": False,
        "exit_code": 0,
        "error": "",
        "out_of_memory": False,
        "restarts": 0,
        "started_at": STARTED,
        "health": "healthy",
        "health_output": "",
        "image_id": "",
        "addresses": {},
        "published": {},
    }
    return Container(**{**known, **more})


def facts(*containers: Container, **seen: Any) -> Facts:
    """What was seen of these containers."""
    nothing = {field.name: _nothing(field.type) for field in msgspec.structs.fields(Facts)}
    return Facts(**{**nothing, "host_clock": NOW, "containers": containers, **seen})


def _nothing(kind: Any) -> Any:
    plain = get_origin(kind) or kind
    return plain() if plain in (tuple, dict, str, float, int) else None


def lago(*without: str, **environments: dict[str, str]) -> tuple[Container, ...]:
    """A healthy container of each role, some left out."""
    return tuple(container(role, environments.get(role)) for role in EVERY if role not in without)


def stamp(ago: float) -> str:
    """Docker's stamp of so many seconds ago."""
    return datetime.fromtimestamp(NOW - ago, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


def ids(findings: Iterable[Finding]) -> list[str]:
    """The ids of what a check has found."""
    return [finding.id for finding in findings]
