"""Rules about data that must outlive a container: volumes of the database, Redis and Lago's files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, DB, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    default_directory,
    part,
    stores_elsewhere,
)


@rule(phase=2)
def no_storage_volume(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and worker share one volume at /app/storage, or an object store.

    The worker writes the PDFs there and the API hands them out. In a container's own layer the API doesn't
    see them, and the next container has lost them.
    """
    services = [service for service in model.of_role(API, WORKER) if not stores_elsewhere(service)]
    sources = {}
    for service in services:
        mount = service.mount_at("/app/storage")
        anonymous = mount is not None and (not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source))
        if mount is None or anonymous or mount.kind == "tmpfs":
            yield Violation(
                service=service,
                at=part(service, "volumes") if service.mounts else part(service),
                problem="no volume is mounted at /app/storage",
                impact="PDFs of invoices stay in one container: the API "
                "answers 404 for what the worker wrote, and a new container has lost them",
                fix="mount one named volume at /app/storage in both the API and the worker",
            )
        elif mount.read_only and service.role == WORKER:
            yield Violation(
                service=service,
                at=part(service, "volumes"),
                problem="the volume at /app/storage is mounted read-only in the worker",
                impact="no PDF can be written: invoices without PDFs, and a dead job for each",
                fix="mount it writable in the worker",
            )
        else:
            sources.setdefault(mount.source, service)
    if len(sources) > 1:
        service = list(sources.values())[1]
        yield Violation(
            service=service,
            at=part(service, "volumes"),
            problem="API and worker have different volumes at /app/storage",
            impact="the API answers 404 for the PDFs that the worker wrote",
            fix="mount the same named volume in both",
        )


@rule(phase=2)
def pgdata_not_on_volume(model: Model, settings: Settings) -> Iterator[Violation]:
    """PostgreSQL's data directory is on a named volume or a directory of the host.

    The image declares a volume at /var/lib/postgresql/data (from PostgreSQL 18: /var/lib/postgresql). A mount
    that doesn't hold PGDATA leaves the data in an anonymous volume, which the next `down` or a new container
    loses.
    """
    for service in model.of_role(DB):
        default = default_directory(service)
        directory = (service.value("PGDATA") or default).rstrip("/")
        mount = service.mount_at(directory)
        shadowed = (
            mount is not None
            and default.startswith(f"{mount.target.rstrip('/')}/")
            and directory.startswith(default)
        )
        anonymous = mount is not None and (
            not mount.source or (mount.kind == "volume" and re.fullmatch(r"[0-9a-f]{64}", mount.source))
        )
        if mount is None or shadowed or anonymous or mount.kind == "tmpfs":
            volumes = [each.target for each in service.mounts if each.kind in ("volume", "bind")]
            elsewhere = f"; what is mounted is {', '.join(volumes)}" if volumes else ""
            yield Violation(
                service=service,
                at=part(service, "volumes") if volumes else part(service),
                problem=f"PostgreSQL's data directory {directory} is on no named volume{elsewhere}",
                impact="the data are in an anonymous volume: a new container starts with an empty "
                "database, and looks healthy",
                fix=f"mount the named volume at {default}, or set PGDATA to a folder inside of the mount",
            )


@rule(phase=0, severity=Severity.WARNING, declared_only=True)
def external_volume_unprovisioned(model: Model, settings: Settings) -> Iterator[Violation]:
    """Volumes are made by Compose: an external one must have been made by hand, on every host."""
    for volume in model.volumes:
        if volume.external:
            yield Violation(
                at=("volumes", volume.key),
                problem=f"volume {volume.name} is external: nobody creates it",
                impact="on a new host the deploy stops: external volume not found; under another "
                "name the database is empty",
                fix="let Compose make it (take `external` out and keep `name`)",
            )
