"""Turns of several test processes at this machine's Docker: together, or one alone."""

from __future__ import annotations

import contextlib
from pathlib import Path

import filelock

from tests.support import suite_run

# The longest test beside which one waits to be alone, with what it takes down.
TURN_SECONDS = 2 * suite_run.DEADLINE


class DockerTurns:
    """The turns of one process. Whoever waits to be alone waits for all others, also for some that come later."""

    def __init__(self, file: Path):
        self._file = file
        self._held = contextlib.ExitStack()
        self._alone: bool | None = None
        self.were_taken = False

    def take(self, *, alone: bool) -> None:
        """Wait for a turn, and hold it until ``leave``; filelock.Timeout where the others do not end theirs."""
        if alone == self._alone:
            return
        self.leave()
        lock = filelock.ReadWriteLock(self._file, TURN_SECONDS, is_singleton=False)
        self._held.callback(lock.close)
        self._held.enter_context(lock.write_lock() if alone else lock.read_lock())
        self._alone = alone
        self.were_taken = True

    def leave(self) -> None:
        """Give the turn to others."""
        self._held.close()
        self._alone = None
