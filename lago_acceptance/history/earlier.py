"""The last look at a host as releases before the history kept it: a small JSON file for each host."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import msgspec

from lago_acceptance.history.store import Look


class _File(msgspec.Struct, frozen=True):
    looked_at: float | None = None
    waived: dict[str, str] = {}


def look(reports: Path, host: str, project: str) -> Look:
    """What is in the file of a host; an empty look where there is none that can be read."""
    try:
        found = msgspec.json.decode(_path(reports, host, project).read_bytes(), type=_File)
    except (OSError, ValueError):
        return Look()
    return Look(found.looked_at, found.waived)


def forget(reports: Path, host: str, project: str) -> None:
    """Remove the file: the history has taken its place."""
    path = _path(reports, host, project)
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def _path(reports: Path, host: str, project: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9.@-]+", "_", f"{host}-{project}" if project else host)
    return reports / "state" / f"{name}.json"
