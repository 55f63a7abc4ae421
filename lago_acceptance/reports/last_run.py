"""What a run stores on this machine for the next one against the same host: when it was, by the host's own clock."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec


class LastRun(msgspec.Struct, frozen=True):
    """``observed_at``: the host's clock (Unix time) when it was read. ``waived``: the check in which each waiver was
    used."""

    observed_at: float | None = msgspec.field(default=None, name="looked_at")
    waived: dict[str, str] = {}


class LastRunFile:
    """One small file for each host and project. A file that can't be read counts as none."""

    def __init__(self, folder: Path, host: str, project: str = ""):
        name = re.sub(r"[^A-Za-z0-9.@-]+", "_", f"{host}-{project}" if project else host)
        self._file = folder / f"{name}.json"

    def read(self) -> LastRun:
        """What the last run stored."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=LastRun)
        except (OSError, msgspec.MsgspecError):
            return LastRun()

    def write(self, run: LastRun) -> None:
        """Store this instead."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(run))
        beside.replace(self._file)
