"""What a run stores on this machine for the next one against the same host: when it was, by the host's own clock."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from lago_acceptance.core import report_files


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
        """Store this instead. NotWritten where that fails."""
        report_files.make_folder(self._file.parent)
        report_files.write(self._file, msgspec.json.encode(run))
