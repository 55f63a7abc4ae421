"""Rules about what a container may do: its user, its read-only file system, its capabilities."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.key_loading import KeyReading, is_key_mount
from lago_acceptance.lago.stock_images import (
    DOCROOT,
    WrittenPath,
    capabilities,
    needed_capabilities,
    runs_as_root,
    written_paths,
)
from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, part, readings
from lago_acceptance.rules.helpers.data_stores import data_directory, services_of, stores


# A container's user may be that of a newer image, for whom its paths were made.
@rule(phase=2, declared_only=True)
def user_lacks_access(model: Model, settings: Settings) -> Iterator[Violation]:
    """A container's user can read Lago's key and write where the image writes.

    The images of Lago's API and front run as root. A private key is usually owned by root and has mode 600, so another
    user can't read it, and in the API and the front that user can't write what the image writes at its start.
    """
    keys = {service.name: reading for service, reading in readings(model, settings)}
    for service in services_of(model, *OURS):
        # Another image may have a user of its own, for whom the key was made.
        if runs_as_root(service) or unknown(service.user) or service.built or "getlago/" not in service.image:
            continue
        reading = keys.get(service.name)
        unreadable = [mount.target for mount in _key_mounts(service, model, reading)] if reading else []
        unwritable = _unwritable(service) if service.role in (API, FRONT) else []
        essential = [each for each in unwritable if each.essential and _owned_by_root(service, each.path)]
        if unreadable:
            yield Violation(
                service=service,
                at=part(service, "user"),
                problem=f"it runs as user {service.user}, who can't read {unreadable[0]} if the key belongs to "
                "root and has mode 600, as is usual",
                impact="Lago can't read its key and exits at boot: permission denied",
                fix="remove `user`"
                if essential
                else "remove `user`, or give the key file to that user (chown) and keep mode 600",
            )
        elif essential:
            yield Violation(
                service=service,
                at=part(service, "user"),
                problem=f"it runs as user {service.user}, but only root may write to {essential[0].path} in "
                "its image",
                impact=essential[0].failure,
                fix="remove `user`"
                + ("" if service.role == FRONT else f", or mount a tmpfs at {essential[0].path}"),
            )


def _key_mounts(service: Service, model: Model, reading: KeyReading) -> Iterator[Mount]:
    """The mounts with the key that belongs to root: host files, and volumes in which a container of root made it."""
    for mount in service.mounts:
        target = mount.target.rstrip("/")
        read = any(path == target or path.startswith(f"{target}/") for path in reading.reads)
        if not is_key_mount(mount) or not read or mount.owner_given:
            continue
        made = any(
            "generate.rsa" in other.full_command
            and runs_as_root(other)
            and any(each.source == mount.source for each in other.mounts)
            for other in model.services
        )
        if mount.source.startswith("/") or (mount.kind == "volume" and made):
            yield mount


def _owned_by_root(service: Service, path: str) -> bool:
    """Whether no mount is there, whose owner the compose file doesn't show."""
    return service.mount_at(path) is None


@rule(phase=2)
def read_only_where_it_writes(model: Model, settings: Settings) -> Iterator[Violation]:
    """With read_only, each path that an image writes to is a tmpfs or a volume; the data's volume is writable."""
    for service, role in stores(model):
        mount = service.mount_at(data_directory(model, service, role))
        if mount is not None and mount.read_only:
            yield Violation(
                service=service,
                at=part(service, "volumes"),
                problem=f"its data is mounted read-only at {mount.target}",
                impact="PostgreSQL exits at its start"
                if role == DB
                else "Redis can't save, and then refuses writes: no job is enqueued",
                fix="mount it writable",
            )
    for service in services_of(model, *OURS):
        missing = _unwritable(service) if service.read_only else []
        if not missing:
            continue
        pages = any(each.path.startswith(DOCROOT) for each in missing)
        worst = next((each for each in missing if each.essential), missing[0])
        yield Violation(
            service=service,
            at=part(service, "read_only"),
            severity=None if worst.essential else Severity.WARNING,
            problem=f"its file system is read-only, but it writes to {', '.join(each.path for each in missing)}",
            impact=worst.failure,
            fix="remove read_only: the page that it writes is beside those of the image"
            if pages
            else f"add `tmpfs: [{', '.join(each.path for each in missing)}]`, or remove read_only",
        )


def _unwritable(service: Service) -> list[WrittenPath]:
    """The paths that the image writes to and that neither a tmpfs nor a writable mount contains."""
    return [each for each in written_paths(service) if not _writable(service, each.path)]


def _writable(service: Service, path: str) -> bool:
    # /var/run is a link to /run in these images.
    names = {path, f"/var{path}"} if path.startswith("/run") else {path}
    for name in names:
        mount = service.mount_at(name)
        memory = any(
            name == each.rstrip("/") or name.startswith(f"{each.rstrip('/')}/") for each in service.tmpfs
        )
        hidden = path.startswith(DOCROOT) and (memory or (mount is not None and mount.kind == "tmpfs"))
        if not hidden and (memory or (mount is not None and not mount.read_only)):
            return True
    return False


@rule(phase=2)
def needed_capability_dropped(model: Model, settings: Settings) -> Iterator[Violation]:
    """Images that start as root keep the capabilities with which they change to their own user.

    With `user` set to the image's own user, it needs none of them.
    """
    for service in services_of(model, *OURS):
        kept = capabilities(service)
        needed = needed_capabilities(service)
        missing = [
            name for name, others in needed.items() if name not in kept and not kept.intersection(others)
        ]
        if missing:
            yield Violation(
                service=service,
                at=part(service, "cap_drop"),
                problem="it starts as root and changes its user, but lacks the capabilities "
                f"{', '.join(missing)}",
                impact="it exits at its start or after the first restart: operation not permitted",
                fix=f"cap_add: [{', '.join(needed)}]",
            )
