"""A command of this machine: bounded in time and output, ended with all that it has started."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts import bounded
from lago_acceptance.hosts.base import ReadCommand, WriteCommand
from lago_acceptance.hosts.local import LocalHost
from tests.support import processes, signals
from tests.support.patience import PATIENCE

HOST, PERMIT = LocalHost(), Permit("--target stack")


def lives(pid_file: Path) -> bool:
    """Whether the process whose number is in a file still runs."""
    return processes.runs(int(pid_file.read_text()))


def test_output_errors_and_input_arrive_whole():
    given = b"x" * 300_000
    ended = bounded.run(
        ["sh", "-c", "cat; echo no >&2; exit 3"], given=given, patience=lambda output: PATIENCE
    )
    assert (ended.code, ended.output, ended.errors, ended.stopped) == (3, given, b"no\n", None)


@pytest.mark.parametrize("stream", [1, 2])
def test_a_reading_that_prints_without_end_is_ended(stream, monkeypatch):
    monkeypatch.setattr(bounded, "FLOOD", 2**20)
    monkeypatch.setattr(bounded, "ERRORS", 2**20)
    with pytest.raises(
        Unreachable, match="printed more than 1 MiB, or 1 MiB of errors, while its facts were read"
    ):
        HOST.read(ReadCommand("facts", f"exec yes >&{stream}", deadline=PATIENCE))


def test_a_reading_that_hangs_is_ended_with_all_that_it_has_started(tmp_path):
    with pytest.raises(Unreachable, match="took longer than 3 s"):
        HOST.read(ReadCommand("facts", f"sleep 600 & echo $! >{tmp_path}/pid; wait", deadline=3))
    assert until(lambda: not lives(tmp_path / "pid"), PATIENCE)


def test_of_a_change_that_prints_without_end_the_last_part_is_kept(monkeypatch):
    monkeypatch.setattr(bounded, "KEPT", 1000)
    command = ("sh", "-c", "yes | head -n 3000000; echo the reason; exit 1")
    result = HOST.change(WriteCommand("up", command, deadline=PATIENCE), PERMIT)
    assert result.code == 1 and len(result.output) == 1000 and result.output.endswith("y\nthe reason\n")


def test_a_change_is_given_up_for_the_first_reason():
    started, reasons = time.monotonic(), iter([None, "a service can't recover", "later"])
    result = HOST.change(WriteCommand("up", ("sleep", "600"), deadline=300), PERMIT, lambda: next(reasons))
    assert result.stopped == "a service can't recover" and time.monotonic() - started < PATIENCE


def test_a_change_that_closes_its_output_and_goes_on_has_a_deadline_too():
    command = ("sh", "-c", "exec >&- 2>&-; sleep 600")
    assert HOST.change(WriteCommand("up", command, deadline=1), PERMIT).stopped == "up did not end within 1 s"


@pytest.mark.parametrize("call", ["read", "change"])
def test_an_interrupt_ends_what_runs_and_what_that_has_started(call, tmp_path):
    script = f"sleep 600 & echo $! >{tmp_path}/pid; kill -{int(signal.SIGINT)} {os.getpid()}; wait"
    with signals.watched(), pytest.raises(KeyboardInterrupt):
        if call == "read":
            HOST.read(ReadCommand("facts", script, deadline=PATIENCE))
        else:
            HOST.change(WriteCommand("up", ("sh", "-c", script), deadline=PATIENCE), PERMIT)
    assert until(lambda: not lives(tmp_path / "pid"), PATIENCE)


@pytest.mark.parametrize("command", [("no-such-program",), ("/",), ("a\0b",)])
def test_a_program_that_can_not_be_started_is_one_sentence(command):
    with pytest.raises(Unreachable, match="can't be run on this machine"):
        HOST.change(WriteCommand("up", command), PERMIT)


def test_without_a_temporary_folder_it_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(Unreachable, match="temporary file can't be written.*set TMPDIR"):
        HOST.read(ReadCommand("facts", "true"))
