"""How many runs' folders of reports are kept."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from lago_acceptance.core import private_folders
from lago_acceptance.core.run import ID, PREFIX

# A run that has no summary after this time was killed.
GOING_SECONDS = 24 * 3600
_RUN = re.compile(ID)
# What another process was removing when it was killed.
_LEFT = re.compile(rf"\.removed-{ID}-[0-9a-f]+")


def prune(folder: Path, keep: int, current: str) -> None:
    """Remove the oldest runs' folders beyond ``keep``, and never that of the ``current`` run.

    Runs that are still going stay, and so do those whose stack was kept, whatever their number; links and everything else
    in the folder are not touched. What can't be removed is left. Any number of processes may do this at once.
    """
    try:
        entries = [each for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for entry in entries:
        if _LEFT.fullmatch(entry.name):
            shutil.rmtree(entry.path, ignore_errors=True)
    # An id begins with the time.
    runs = sorted((each.name for each in entries if _RUN.fullmatch(each.name)), reverse=True)
    # Also counted where a clock that was set back makes it the oldest.
    runs = [current, *(name for name in runs if name != current)]
    stacks = private_folders.kept(PREFIX)
    for name in runs[max(keep, 1) :]:
        if name not in stacks and not _going(folder / name):
            _remove(folder, name)


def _going(run: Path) -> bool:
    try:
        return not (run / "summary.json").exists() and time.time() - run.stat().st_mtime < GOING_SECONDS
    except OSError:
        return True


def _remove(folder: Path, name: str) -> None:
    # In one step: nobody reads half a run, and of two that remove it one finds it gone.
    aside = folder / f".removed-{name}-{os.urandom(4).hex()}"
    with suppress(OSError):
        (folder / name).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
