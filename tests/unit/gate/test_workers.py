"""Files are judged in processes of their own: what goes wrong with one of them is a sentence about its file."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.gate import workers
from lago_acceptance.gate.workers import Died, Workers
from tests.support import processes
from tests.support.patience import PATIENCE


def answers(paths: list[str], judge) -> list:
    running = Workers([Path(each) for each in paths], judge)
    try:
        return [answer for _, answer in running.answers()]
    finally:
        running.end()


def test_answers_come_in_the_order_of_the_files():
    assert answers(list("abcdefg"), lambda path: path.name.encode() * 100_000) == [
        each.encode() * 100_000 for each in "abcdefg"
    ]


def test_a_process_judges_one_file_after_the_other(monkeypatch):
    monkeypatch.setattr(workers, "_AT_ONCE", 2)
    judged_by = answers(list("abcdefghij"), lambda path: str(os.getpid()).encode())
    assert 1 <= len(set(judged_by)) <= 2


@pytest.mark.parametrize("at", range(4))
def test_a_process_that_dies_leaves_the_files_after_it_to_another(at, monkeypatch):
    monkeypatch.setattr(workers, "_AT_ONCE", 1)
    files = ["a", "b", "c", "d"]

    def judge(path: Path) -> bytes:
        if path.name == files[at]:
            os._exit(3)
        return path.name.encode()

    found = answers(files, judge)
    assert isinstance(found.pop(at), Died)
    assert found == [each.encode() for each in files if each != files[at]]


def test_each_file_has_its_own_processor_time(monkeypatch):
    monkeypatch.setattr(workers, "_AT_ONCE", 1)
    monkeypatch.setattr(workers, "PROCESSOR_SECONDS", 1)

    def judge(path: Path) -> bytes:
        end = time.process_time() + 0.7
        while time.process_time() < end:
            pass
        return b"judged"

    assert answers(list("abc"), judge) == [b"judged"] * 3


HANGS = {
    "in Python": lambda: sum(iter(int, 1)),
    "in a regular expression": lambda: re.match(r"(a|a)*b", "a" * 40),
    "in a system call": lambda: os.read(os.pipe()[0], 1),
    "with signals ignored": lambda: (signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)), time.sleep(600)),
}


@pytest.mark.parametrize("name", HANGS)
def test_what_hangs_is_ended_and_the_others_are_judged(name, monkeypatch):
    monkeypatch.setattr(workers, "DEADLINE", 3.0)

    def judge(path: Path) -> bytes:
        if path.name == "bad":
            HANGS[name]()
        return b"judged"

    bad, good = answers(["bad", "good"], judge)
    assert isinstance(bad, Died) and str(bad) == workers.TOO_LONG and good == b"judged"


def test_what_works_for_too_long_is_ended_however_busy_the_machine_is(monkeypatch):
    monkeypatch.setattr(workers, "PROCESSOR_SECONDS", 1)
    [answer] = answers(["bad"], lambda path: HANGS["in Python"]() and b"judged")
    assert isinstance(answer, Died) and str(answer) == workers.TOO_MUCH_WORK


ENDS = {
    "memory": (lambda: bytearray(1 << 30), "256 MiB"),
    "memory, in small parts": (lambda: [str(number) * 100 for number in range(1 << 24)], "256 MiB"),
    "a crash": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "ended with code -11"),
    "an end without an answer": (lambda: os._exit(3), "ended with code 3"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_process_that_dies_is_a_sentence_about_its_file(name):
    work, said = ENDS[name]
    [answer] = answers(["bad"], lambda path: work() and b"judged")
    assert isinstance(answer, Died) and said in str(answer)


def test_a_process_that_dies_prints_no_traceback():
    """Pytest has a handler enabled that does, and a fork inherits it."""
    assert faulthandler.is_enabled()
    assert answers(["good"], lambda path: str(faulthandler.is_enabled()).encode()) == [b"False"]


def test_a_large_process_judges_as_a_small_one():
    inherited = bytearray(300 << 20)
    assert answers(["good"], lambda path: b"x" * (20 << 20)) == [b"x" * (20 << 20)] and inherited


def test_what_a_file_started_ends_with_it(monkeypatch, tmp_path):
    monkeypatch.setattr(workers, "DEADLINE", 3.0)
    started = tmp_path / "started"

    def judge(path: Path) -> bytes:
        with subprocess.Popen(["sleep", "600"]) as process:
            started.write_text(str(process.pid))
            process.wait()
        return b""

    [answer] = answers(["bad"], judge)
    assert isinstance(answer, Died)

    assert until(lambda: not processes.runs(int(started.read_text())), PATIENCE)
