"""Files beside a compose file: those that are mounted from its folder, and those that are committed to git."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from lago_acceptance.composefile.bounded_files import read_regular, unread_because
from lago_acceptance.composefile.git import git
from lago_acceptance.composefile.yaml_lines import Unusable
from lago_acceptance.model.deployment import Model

FILE_CAP = 65_536
# What is read of all mounted files together; and of a mounted folder, how many files.
FILES_CAP, FOLDER_CAP = 4_000_000, 50


def mounted(model: Model, directory: Path, project: Path) -> dict[str, str | None]:
    """The contents of small files in a folder that services mount, by path; None: the file does not exist.

    What must not be opened (``unread_because``) is not in it.
    """
    files: dict[str, str | None] = {}
    left = FILES_CAP
    for service in model.services:
        for mount in service.mounts:
            source = mount.source
            if mount.kind not in ("bind", "secret", "config") or not source.startswith(str(directory)):
                continue
            path = Path(source)
            if unread_because(path, project):
                continue
            if not os.path.exists(path):
                files[source] = None
                continue
            for file in _files_in(path) if path.is_dir() and service.role else (path,):
                if str(file) in files or left < 0 or unread_because(file, project):
                    continue
                if (text := small_text(file)) is not None:
                    files[str(file)] = text
                    left -= len(text)
    return files


def _files_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(each.path) for each in islice(entries, 20 * FOLDER_CAP))[:FOLDER_CAP]
    except OSError:
        return []


def committed(directory: Path, texts: dict[str, str | None]) -> tuple[str, ...]:
    """The files with secrets that are committed to git."""
    telling = [
        path
        for path in texts
        if "PRIVATE KEY" in (texts.get(path) or "")
        or path.rsplit("/", 1)[-1].startswith(".env")
        or path.endswith(".env")
    ]
    if not telling:
        return ()
    tracked = {
        (directory / name).resolve()
        for name in (git(directory, "ls-files", "-z", ":/") or b"").decode("utf-8", "replace").split("\0")
        if name
    }
    return tuple(path for path in telling if Path(path).resolve() in tracked)


def small_text(path: Path) -> str | None:
    """The text of a file; None if it is large, binary or unreadable."""
    try:
        return read_regular(path, FILE_CAP, path.name).decode("utf-8")
    except (Unusable, UnicodeDecodeError):
        return None
