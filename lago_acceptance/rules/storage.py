"""Rules about volumes: data that must outlive its container."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, reference, uses_object_store
from lago_acceptance.rules.helpers.data_stores import data_directory, default_directory, stores


@rule(phase=2, follows=("never-completes",))
def no_storage_volume(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and worker share a volume at /app/storage, or use an object store.

    The worker writes PDFs there and the API serves them. Without a shared volume the API doesn't see them,
    and they are lost when the container is recreated.
    """
    services = [service for service in model.of_role(API, WORKER) if not uses_object_store(service)]
    sources: dict[str, dict[str, Service]] = {}

    for service in services:
        mount = service.mount_at("/app/storage")
        anonymous = mount is not None and (not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source))
        if mount is None or anonymous or mount.kind == "tmpfs":
            yield Violation(
                service=service,
                at=part(service, "volumes") if service.mounts else part(service),
                problem="no volume is mounted at /app/storage",
                impact="the API answers 404 for PDFs that the worker wrote, and they are lost when the "
                "container is recreated",
                fix="mount one named volume at /app/storage in both the API and the worker",
            )
        elif mount.read_only and service.role == WORKER:
            yield Violation(
                service=service,
                at=part(service, "volumes"),
                problem="the volume at /app/storage is mounted read-only in the worker",
                impact="no PDF can be written: invoices get no PDF, and each leaves a dead job",
                fix="mount it writable in the worker",
            )
        else:
            first = reference(model, service)
            sources.setdefault(first.name if first else "", {}).setdefault(mount.source, service)
    for several in (each for each in sources.values() if len(each) > 1):
        service = list(several.values())[1]
        yield Violation(
            service=service,
            at=part(service, "volumes"),
            problem="API and worker mount different volumes at /app/storage",
            impact="the API answers 404 for the PDFs that the worker wrote",
            fix="mount the same named volume in both",
        )


@rule(phase=2, follows=("data-in-memory",))
def pgdata_not_on_volume(model: Model, settings: Settings) -> Iterator[Violation]:
    """PostgreSQL's data directory is on a named volume or a host directory.

    The image declares a volume at /var/lib/postgresql/data (from PostgreSQL 18 on: /var/lib/postgresql). If
    the mount doesn't contain PGDATA, the data is in an anonymous volume, which is lost with the container.
    """
    for service, role in stores(model):
        if role != DB or (service.role is None and "bitnami" not in service.image):
            continue
        default = default_directory(service)
        directory = data_directory(model, service, role)
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
            mounts_note = f"; the mounts are {', '.join(volumes)}" if volumes else ""
            yield Violation(
                service=service,
                at=part(service, "volumes") if volumes else part(service),
                problem=f"PostgreSQL's data directory {directory} is not on a named volume{mounts_note}",
                impact="the data is in an anonymous volume: a new container starts with an empty database "
                "and looks healthy",
                fix=f"mount the named volume at {default}, or set PGDATA to a folder inside the mount",
            )


@rule(phase=0, severity=Severity.WARNING, declared_only=True)
def external_volume_unprovisioned(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose creates the volumes.

    An external volume has to be created by hand on every host.
    """
    for volume in model.volumes:
        if volume.external:
            holders = [
                service
                for service in model.services
                if any(mount.kind == "volume" and mount.source == volume.key for mount in service.mounts)
            ]
            lost = next(
                (_WITHOUT[each.role] for each in holders if each.role in _WITHOUT), "its files are gone"
            )
            yield Violation(
                at=("volumes", volume.key),
                problem=f"volume {volume.name} is external, so Compose doesn't create it",
                impact=f"on a new host the deploy stops (external volume not found); with another name {lost}",
                fix="remove `external` and keep `name`; Compose then creates the volume",
            )


_WITHOUT = {
    DB: "the database is empty",
    REDIS: "the waiting jobs are gone",
    API: "all stored PDFs are gone",
    WORKER: "all stored PDFs are gone",
}
