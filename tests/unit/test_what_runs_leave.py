"""The instruments of the tests that end runs: they see what is left, and take what has just ended for ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from lago_acceptance.core.waiting import until
from tests.support import processes
from tests.support.kills import MARK, Machine
from tests.support.patience import PATIENCE


@contextlib.contextmanager
def running(script: str, **variables: str) -> Iterator[subprocess.Popen]:
    """A shell that runs a script, in a session of its own, to be killed with all that it has started."""
    process = subprocess.Popen(["sh", "-c", script], env={**os.environ, **variables}, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def names(number: int, name: str = "") -> list[str]:
    return sorted(each.name() for each in processes.started_by(number, name))


def test_what_a_process_started_is_found_by_its_name_at_any_depth():
    with running("sleep 600 & sh -c 'tail -f /dev/null & wait' & wait") as process:
        assert until(lambda: names(process.pid) == ["sh", "sleep", "tail"], PATIENCE)
        assert names(process.pid, "lee") == ["sleep"] and names(process.pid, "ssh") == []
    assert processes.started_by(process.pid) == []


def test_a_process_that_nobody_has_waited_for_has_ended():
    with running("sleep 600") as process:
        found = psutil.Process(process.pid)
        assert processes.runs(found) and processes.runs(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not processes.runs(found) and not processes.runs(process.pid)
    assert not processes.runs(found) and not processes.runs(process.pid)


def test_a_child_that_has_ended_is_not_what_runs():
    with running("true & exec sleep 600") as process:
        assert until(lambda: [each.status() for each in _children(process)] == ["zombie"], PATIENCE)
        assert processes.started_by(process.pid) == []


def _children(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


@pytest.mark.parametrize("asked", ["name", "environ", "status"])
def test_a_process_that_ends_while_it_is_looked_at_is_no_error(asked, monkeypatch):
    def gone(process: psutil.Process):
        raise psutil.NoSuchProcess(process.pid)

    with running("sleep 600 & wait", **{MARK: "a"}) as process:
        assert until(lambda: names(process.pid) == ["sleep"], PATIENCE)
        monkeypatch.setattr(psutil.Process, asked, gone)
        assert processes.started_by(process.pid, "none of that name") == []
        assert all("sleep" not in each for each in processes.with_variable(MARK, "a"))


def test_a_machine_names_the_processes_and_files_of_its_own_runs(tmp_path):
    machine, other = (Machine(tmp_path / name, uses_docker=False) for name in ("one", "another"))
    assert machine.left() == []
    with running("exec sleep 600", **{MARK: machine.mark}) as process:
        assert until(lambda: machine.left() == [f"process {process.pid}: sleep"], PATIENCE)
        assert other.left() == []
        (machine.temporary / "key").touch()
        assert machine.left()[1:] == [str(machine.temporary / "key")]
        assert machine.new(machine.left()) == []
    assert machine.left() == [str(machine.temporary / "key")]
