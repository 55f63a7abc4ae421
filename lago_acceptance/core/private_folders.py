"""Private folders (mode 700) of one process, for keys and sockets. Those of killed processes are removed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

_OWNER = "owner"
# Containers may share a temporary folder without seeing each other's processes.
OLD_SECONDS = 3600


def make(prefix: str, place: str | None = None) -> Path:
    """A new folder in ``place``, by default in the system's temporary folder."""
    around = Path(place or tempfile.gettempdir())
    for left in around.glob(f"{prefix}*"):
        if _abandoned(left / _OWNER):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=around))
    (folder / _OWNER).write_text(str(os.getpid()))
    return folder


def _abandoned(owner: Path) -> bool:
    try:
        pid, written = int(owner.read_text()), owner.stat().st_mtime
        if time.time() - written < OLD_SECONDS:
            return False
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False
