"""Whole runs and the history: which ones are in it, and that it never decides how a run ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.history.store import NAME, History
from tests.support import suite_run
from tests.support.patience import PATIENCE

HOST = "root@no-such-host.invalid"
LIVE = ("-m", "smoke and phase2", "--target", "live", "--hosts", f"ssh://{HOST}")
NOTE = "verdict and exit code are those of its checks all the same"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 16 KiB: too small for a history."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "lago-test", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_host_that_was_not_reached_is_in_the_history(tmp_path):
    first = suite_run.run(tmp_path, *LIVE)
    second = suite_run.run(tmp_path, *LIVE, "--scheduled")
    assert first.code == second.code == 6, second.output
    assert NOTE not in second.output
    assert (first.summary["since"], first.summary["changed"]) == ("", False)
    assert second.summary["since"] == first.summary["started"]
    file = tmp_path / NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with History(file) as history:
        runs = history.runs(HOST)
    assert [run.run for run in runs] == [first.summary["run"], second.summary["run"]]
    assert [run.scheduled for run in runs] == [False, True] and {run.billing for run in runs} == {"not known"}


def test_a_stack_is_in_it_under_its_compose_file(tmp_path):
    shared = tmp_path / "elsewhere" / "shared.sqlite3"
    result = suite_run.run(
        tmp_path, "-m", "smoke and phase2", "--history", str(shared), DOCKER_HOST="unix:///nowhere"
    )
    assert result.code == 6, result.output
    with History(shared) as history:
        assert history.keys() == ("this machine docker-compose.lago.yml",)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("given", [("-m", "gate"), (*LIVE, "--collect-only"), (*LIVE, "--deadline", "0")])
def test_what_is_no_run_of_a_deployment_leaves_no_history(given, tmp_path):
    suite_run.run(tmp_path, *given)
    assert not (tmp_path / NAME).exists()


def test_an_interrupted_run_is_not_in_it(tmp_path):
    """Its ssh never comes back."""
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 60\n")
    ssh.chmod(0o755)
    run = subprocess.Popen(
        suite_run.command("--reports", str(tmp_path / "reports"), *LIVE),
        cwd=suite_run.ROOT,
        env=suite_run.environment(PATH=f"{ssh.parent}:{os.environ['PATH']}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert until((tmp_path / "asked").exists, PATIENCE)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 2, output
    assert not (tmp_path / "reports" / NAME).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_disk_that_is_full_for_the_history(small_disk, tmp_path):
    result = suite_run.run(tmp_path, *LIVE, "--history", str(small_disk / NAME))
    assert result.code == 6 and result.output.count(NOTE) == 1, result.output
    assert "no space is left there" in result.output and "Traceback" not in result.output
    assert result.summary["exit_code"] == 6


def test_a_folder_in_its_place(tmp_path):
    result = suite_run.run(tmp_path, *LIVE, "--history", str(tmp_path))
    assert result.code == 6 and NOTE in result.output and "is a folder: choose another file" in result.output


def test_a_damaged_one_is_told_and_begun_again(tmp_path):
    (tmp_path / NAME).write_text("<html>502</html>")
    result = suite_run.run(tmp_path, *LIVE)
    assert result.code == 6 and NOTE not in result.output
    assert [
        note for note in result.summary["notes"] if "was damaged" in note and "begins with this run" in note
    ]
    assert "was damaged" in result.output
    with History(tmp_path / NAME) as history:
        assert len(history.runs(HOST)) == 1


def test_two_runs_at_once(tmp_path):
    """Both are in it."""
    runs = [
        subprocess.Popen(
            suite_run.command("--reports", str(tmp_path), *LIVE),
            cwd=suite_run.ROOT,
            env=suite_run.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    for run in runs:
        output, _ = run.communicate(timeout=suite_run.DEADLINE)
        assert run.returncode == 6 and NOTE not in output, output
    with History(tmp_path / NAME) as history:
        assert len(history.runs(HOST)) == 2
