"""Files beside a compose file: those that are mounted from its folder, and those that are committed to git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lago_acceptance.model.deployment import Model

FILE_CAP = 65_536


def mounted(model: Model, directory: Path) -> dict[str, str | None]:
    """The contents of small files in a folder that services mount, by path; None: the file does not exist."""
    files: dict[str, str | None] = {}
    for service in model.services:
        for mount in service.mounts:
            source = mount.source
            if mount.kind not in ("bind", "secret", "config") or not source.startswith(str(directory)):
                continue
            path = Path(source)
            if path.is_dir():
                for inside in sorted(path.iterdir())[:50] if service.role else ():
                    if inside.is_file():
                        files[str(inside)] = small_text(inside)
            elif not path.exists():
                files[source] = None
            elif (text := small_text(path)) is not None:
                files[source] = text
    return files


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
    try:
        ended = subprocess.run(
            ["git", "ls-files", "-z", ":/"], cwd=directory, capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    tracked = {
        (directory / name).resolve() for name in ended.stdout.decode("utf-8", "replace").split("\0") if name
    }
    return tuple(path for path in telling if Path(path).resolve() in tracked)


def small_text(path: Path) -> str | None:
    """The text of a file; None if it is large, binary or unreadable."""
    try:
        if path.stat().st_size > FILE_CAP:
            return None
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
