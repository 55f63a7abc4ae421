"""What one look at a host leaves on this machine for the next: when it was, by the host's own clock."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec


class LastRun(msgspec.Struct, frozen=True):
    """``looked_at``: the host's clock (Unix time) at the last look. ``waived``: the check that each waiver
    was for."""

    looked_at: float | None = None
    waived: dict[str, str] = {}


class LastRunFile:
    """One small file for each host and project. A file that can't be read counts as none."""

    def __init__(self, folder: Path, host: str, project: str = ""):
        name = re.sub(r"[^A-Za-z0-9.@-]+", "_", f"{host}-{project}" if project else host)
        self._file = folder / f"{name}.json"

    def read(self) -> LastRun:
        """What is remembered."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=LastRun)
        except (OSError, msgspec.MsgspecError):
            return LastRun()

    def write(self, remembered: LastRun) -> None:
        """Remember this instead."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(remembered))
        beside.replace(self._file)
