"""What a killed process has left is removed by the next one; what somebody uses, or nobody can tell of, stays."""

from __future__ import annotations

import os
import subprocess
import sys
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


def test_what_a_killed_process_left_is_removed_at_once(killed, tmp_path):
    made = private_folders.make(PREFIX, str(tmp_path))
    assert not killed.exists() and made.stat().st_mode & 0o777 == 0o700


def test_a_folder_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        made = private_folders.make(PREFIX, str(tmp_path))
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == 0o700


def test_what_is_in_use_or_of_nobody_stays(tmp_path):
    mine = private_folders.make(PREFIX, str(tmp_path))
    foreign = tmp_path / f"{PREFIX}foreign"
    foreign.mkdir()
    earlier = tmp_path / f"{PREFIX}of-an-earlier-release"
    earlier.mkdir()
    (earlier / "owner").write_text("999999999")
    private_folders.make(PREFIX, str(tmp_path))
    assert mine.exists() and foreign.exists() and earlier.exists()


def test_what_others_put_there_is_neither_followed_nor_removed(killed, tmp_path):
    label = (killed / "owner").read_text()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "owner").write_text(label)
    (tmp_path / f"{PREFIX}link").symlink_to(precious)
    for name in ("owner-is-a-link", "owner-is-a-pipe"):
        (tmp_path / f"{PREFIX}{name}").mkdir()
    (tmp_path / f"{PREFIX}owner-is-a-link" / "owner").symlink_to(precious / "owner")
    os.mkfifo(tmp_path / f"{PREFIX}owner-is-a-pipe" / "owner")
    private_folders.make(PREFIX, str(tmp_path))
    assert (precious / "owner").exists() and (tmp_path / f"{PREFIX}link").is_symlink()
    assert all((tmp_path / f"{PREFIX}{name}").exists() for name in ("owner-is-a-link", "owner-is-a-pipe"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_a_folder_of_another_user_stays(killed, tmp_path):
    os.chown(killed, 65534, 65534)
    private_folders.make(PREFIX, str(tmp_path))
    assert killed.exists()


def test_the_folder_of_a_kept_stack_stays_until_the_stack_is_removed(killed, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    private_folders.keep(killed, "one")
    private_folders.make(PREFIX)
    private_folders.remove_kept(PREFIX, "another")
    assert killed.exists()
    private_folders.remove_kept(PREFIX, "one")
    assert not killed.exists()
