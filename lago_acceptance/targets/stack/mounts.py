"""Which host paths a container under test may see, and what it gets in the place of the others."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

KEEP, READ_ONLY, VOLUME, SOCKET, DROP = "keep", "read-only", "volume", "socket", "drop"

# The same on every machine, and nobody's secret.
PUBLIC = ("/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo")
_SHOWN = (".env", ".gitignore", ".gitkeep", ".gitattributes", ".dockerignore")
_UNSEEN = ".unseen"
_DOCKER = "docker.sock"
# Folders that hold an image's programs and settings. A container that is given one of its own reads it.
_CONFIGURATION = ("/etc", "/usr", "/opt", "/app", "/run", "/bin", "/lib", "/docker-entrypoint")
# What folders for data are called, wherever they are.
_DATA = frozenset(
    ("backup", "backups", "cache", "data", "database", "files", "log", "logs", "pgdata", "storage", "tmp")
)


class Places(msgspec.Struct, frozen=True):
    """The folders of a run: the ``project`` under test, the run's ``private`` one, and what ``--allow-mount`` names.

    The project is the checkout that the compose file is in, or else the file's own folder. ``docker_socket`` is what containers
    get for Docker's socket: one that shows this run's containers alone; None where there is none.
    """

    project: Path
    private: Path
    allowed: tuple[Path, ...] = ()
    docker_socket: Path | None = None

    @property
    def empty_file(self) -> Path:
        """An empty file of the run, mounted in place of one of the host."""
        return self.private / "empty"

    def named(self, source: str) -> bool:
        """Whether an option names the path, or a folder above it."""
        return _below(source, *self.allowed)

    def readable(self, source: str) -> bool:
        """Whether a path is part of the deployment, of this run, or public, wherever its links lead.

        Hidden files beside the compose file, and folders with hidden files in them, are not: a checkout's .git holds
        the token that fetched it, a home has .ssh.
        """
        if str(Path(source)) in PUBLIC or self.named(source) or _below(source, self.private):
            return True
        root = os.path.realpath(self.project)
        if root == "/" or not _below(source, self.project):
            return False
        real = Path(os.path.realpath(source))
        return not any(map(_hidden, (*real.relative_to(root).parts, *_inside(real))))


def fate(mount: Mapping[str, Any], places: Places) -> str:
    """What becomes of a bind mount: KEEP, READ_ONLY, VOLUME (a volume of the run instead), SOCKET (the run's socket instead) or
    DROP (nothing instead).

    ``mount`` is Compose's long syntax.
    """
    source, read_only = mount.get("source") or "", bool(mount.get("read_only"))
    if places.named(source):
        return KEEP
    if places.docker_socket and _DOCKER in (Path(source).name, Path(mount.get("target") or "").name):
        return KEEP if mount == read_only_mount(mount["target"], places.docker_socket) else SOCKET
    mode = _mode(source)
    folder = stat.S_ISDIR(mode) if mode else Path(source).suffix in ("", ".d")
    if not places.readable(source):
        return VOLUME if folder else DROP
    options = mount.get("bind") or {}
    if not mode:
        # Docker makes a folder on the host of a path that is missing; Compose refuses one that it may not make.
        return VOLUME if options.get("create_host_path", True) else KEEP
    if not folder and not stat.S_ISREG(mode):
        return DROP
    if folder and not read_only and (_for_data(mount.get("target", "")) or not _inside(Path(source))):
        return VOLUME
    return KEEP if read_only and not options.keys() - {"create_host_path", "recursive"} else READ_ONLY


def read_only_mount(target: str, source: Path) -> dict[str, Any]:
    """The mount of a file, folder or socket of the run in a container, in Compose's long syntax."""
    return {
        "type": "bind",
        "source": str(source),
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def _inside(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        # What can't be looked into may hold anything.
        return [_UNSEEN]


def _hidden(name: str) -> bool:
    return name.startswith(".") and not name.startswith(_SHOWN)


def _for_data(target: str) -> bool:
    if not _DATA.isdisjoint(target.split("/")):
        return True
    return not any(target == each or target.startswith((f"{each}/", f"{each}-")) for each in _CONFIGURATION)


def _mode(source: str) -> int:
    try:
        return os.stat(source).st_mode
    except (OSError, ValueError):
        return 0


def _below(source: str, *folders: Path) -> bool:
    # A zero byte is in no path.
    real = Path(os.path.realpath(source.replace("\0", "/")))
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)
