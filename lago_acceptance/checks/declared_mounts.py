"""How the mounts of a container differ from those of its service in the compose file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from lago_acceptance.model.deployment import Model, Mount, Service

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def mount_differences(declaration: Model, declared: Service, running: Service) -> Iterator[str]:
    """Mounts that are missing, that have another source or mode, or that the file does not have."""
    mounted = {_place(mount.target): mount for mount in running.mounts}
    in_memory = {_place(path) for path in running.tmpfs} | {
        target for target, mount in mounted.items() if mount.kind == "tmpfs"
    }
    for mount in declared.mounts:
        target = _place(mount.target)
        if mount.kind == "tmpfs" or not _is_mounted(mount):
            continue
        if target not in mounted:
            yield f"nothing is mounted at {mount.target}"
        else:
            yield from _of_one(declaration, mount, mounted[target])
    for path in declared.tmpfs:
        if _place(path) not in in_memory:
            yield f"{path} is not in memory (tmpfs)"
    if declared.shares_mounts or running.shares_mounts:
        return
    known = {_place(mount.target) for mount in declared.mounts} | {_place(path) for path in declared.tmpfs}
    for target, mount in mounted.items():
        anonymous = mount.kind == "volume" and _ANONYMOUS.fullmatch(mount.source or "")
        if target not in known and not anonymous:
            yield f"{mount.source or mount.kind} is mounted at {target}, and the file does not mount it"


def _is_mounted(mount: Mount) -> bool:
    """Whether Docker shows it as a mount: a secret or config without a file of its own is copied into the container."""
    return mount.kind not in ("secret", "config") or (mount.source.startswith("/") and not mount.owner_given)


def _of_one(declaration: Model, declared: Mount, running: Mount) -> Iterator[str]:
    if declared.kind in ("volume", "bind") and declared.kind != running.kind:
        yield f"{_a(running)} is mounted at {declared.target}, {_a(declared)} is declared"
        return
    if declared.kind == "volume":
        wanted = next(
            (each.name for each in declaration.volumes if each.key == declared.source), declared.source
        )
        if wanted and wanted != running.source:
            yield f"the volume {running.source} is mounted at {declared.target}, {wanted} is declared"
    elif declared.source.startswith("/") and _path(declared.source) != _path(running.source):
        yield f"{running.source} is mounted at {declared.target}, {declared.source} is declared"
    if declared.read_only != running.read_only:
        is_so, should = ("read-only", "writable") if running.read_only else ("writable", "read-only")
        yield f"{declared.target} is mounted {is_so}, and declared {should}"


def _a(mount: Mount) -> str:
    return (
        f"the {'volume' if mount.kind == 'volume' else 'path'} {mount.source}"
        if mount.source
        else f"a {mount.kind}"
    )


def _place(target: str) -> str:
    return posixpath.normpath(target) if target else target


def _path(source: str) -> str:
    path = posixpath.normpath(source)
    return path.removeprefix("/var") if path.startswith("/var/run/") else path
