"""Rules about data that must survive a restart and a crash."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.store_settings import postgres_settings, redis_settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, part
from lago_acceptance.rules.helpers.data_stores import data_directory, holds_jobs, stores

_OFF = ("off", "of", "false", "f", "no", "n", "0")
_UNSAFE = {
    "fsync": "after a power cut or a crash of the host the database can be corrupt beyond repair",
    "full_page_writes": "after a power cut or a crash of the host the database can be corrupt beyond repair",
    "synchronous_commit": "after a crash, the last invoices and payments that Lago was sure of are gone",
}


@rule(phase=2)
def database_not_crash_safe(model: Model, settings: Settings) -> Iterator[Violation]:
    """PostgreSQL writes to disk before it confirms: fsync, full_page_writes and synchronous_commit are on."""
    for service, role in stores(model):
        if role != DB:
            continue
        found = postgres_settings(service, model)
        off = [name for name in _UNSAFE if found.get(name).lower() in _OFF]
        if off:
            yield Violation(
                service=service,
                at=part(service, "command"),
                severity=Severity.WARNING if off == ["synchronous_commit"] else None,
                problem=f"PostgreSQL runs with {', '.join(f'{name}=off' for name in off)}",
                impact=_UNSAFE[off[0]],
                fix=f"remove {'it' if len(off) == 1 else 'them'}: the default is on",
            )


@rule(phase=2)
def data_in_memory(model: Model, settings: Settings) -> Iterator[Violation]:
    """The data of PostgreSQL, and of the Redis that holds Lago's jobs, is on disk."""
    for service, role in stores(model):
        if role == REDIS and not holds_jobs(model, service):
            continue
        directory = data_directory(model, service, role)
        if _in_memory(model, service, directory):
            yield Violation(
                service=service,
                at=part(service),
                problem=f"its data directory {directory} is in memory (tmpfs)",
                impact="all billing data is gone when the container stops"
                if role == DB
                else "all waiting jobs are gone when the container stops: their invoices, webhooks and PDFs are "
                "never made",
                fix=f"mount a named volume at {directory}",
            )


@rule(phase=2, severity=Severity.WARNING, follows=("data-in-memory",))
def redis_not_persistent(model: Model, settings: Settings) -> Iterator[Violation]:
    """Redis, which holds Lago's jobs, saves them to a named volume.

    A Redis that is only Lago's cache (LAGO_REDIS_CACHE_URL) needs neither.
    """
    for service, role in stores(model):
        if role != REDIS or not lago(model) or not holds_jobs(model, service):
            continue
        found = redis_settings(service, model)
        directory = data_directory(model, service, role)
        mount = service.mount_at(directory)
        anonymous = mount is not None and (not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source))
        if found.values.get("save") == "" and found.get("appendonly").lower() != "yes" and found.complete:
            yield Violation(
                service=service,
                at=part(service, "command"),
                severity=Severity.ERROR,
                problem='Redis saves nothing to disk (save "" without appendonly yes)',
                impact="all waiting jobs are gone after each restart: their invoices, webhooks and PDFs are never "
                "made",
                fix="start it with --appendonly yes, and mount a named volume at " + directory,
            )
        elif anonymous or (mount is None and (found.complete or not service.mounts)):
            yield Violation(
                service=service,
                at=part(service),
                problem=f"{directory} of Redis is not on a named volume",
                impact="jobs that are waiting when the container is recreated are lost",
                fix=f"mount a named volume at {directory}",
            )


def _in_memory(model: Model, service: Service, directory: str) -> bool:
    """Whether a directory is on a tmpfs: of the service itself, of a volume, or of the host."""
    mount = service.mount_at(directory)
    if mount is None and f"{directory}/".startswith("/dev/shm/"):
        return True
    inside = [
        each.rstrip("/") for each in service.tmpfs if f"{directory}/".startswith(f"{each.rstrip('/')}/")
    ]
    deepest = max((len(each) for each in inside), default=0)
    if mount is None or len(mount.target.rstrip("/")) <= deepest:
        # A tmpfs above the directory hides nothing: the image's own volume is mounted in it.
        return bool(inside) and (
            deepest >= len(directory) or service.role != DB or "PGDATA" in service.environment
        )
    volumes = {name: volume for volume in model.volumes for name in (volume.key, volume.name)}
    volume = volumes.get(mount.source) if mount.kind == "volume" else None
    return (
        mount.kind == "tmpfs"
        or bool(volume and volume.in_memory)
        or mount.source.startswith(("/dev/shm/", "/run/"))
    )
