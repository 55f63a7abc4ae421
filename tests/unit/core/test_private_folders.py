"""What a killed process has left is removed by the next one; what somebody uses, or nobody can tell of, stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lago_acceptance.core import private_folders

PREFIX = "kept-apart-"


@pytest.fixture
def killed(tmp_path) -> Path:
    """The folder of a process that has ended without removing it."""
    text = (
        f"from lago_acceptance.core.private_folders import make; print(make({PREFIX!r}, {str(tmp_path)!r}))"
    )
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return Path(ended.stdout.strip())


def older(folder: Path) -> None:
    then = time.time() - private_folders.OLD_SECONDS - 60
    os.utime(folder / "owner", (then, then))


def test_what_a_killed_process_left_is_removed(killed, tmp_path):
    older(killed)
    made = private_folders.make(PREFIX, str(tmp_path))
    assert not killed.exists() and made.stat().st_mode & 0o777 == 0o700


def test_what_is_in_use_young_or_of_nobody_stays(killed, tmp_path):
    mine = private_folders.make(PREFIX, str(tmp_path))
    older(mine)
    foreign = tmp_path / f"{PREFIX}foreign"
    foreign.mkdir()
    private_folders.make(PREFIX, str(tmp_path))
    assert killed.exists() and mine.exists() and foreign.exists()
