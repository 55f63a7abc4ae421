"""A process is said to be gone only where that is certain: the clock, another namespace and a reused pid don't matter."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import time_machine

from lago_acceptance.core import owner
from tests.support.patience import PATIENCE

PRINT = "from lago_acceptance.core import owner; print(owner.me())"
ASK = "import sys; from lago_acceptance.core import owner; print(owner.gone(sys.argv[1]))"


def python(text: str, *arguments: str, before: tuple[str, ...] = ()) -> str:
    command = [*before, sys.executable, "-c", text, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout.strip()


def changed(**parts: str) -> str:
    """This process's label with other parts."""
    names = ("machine", "boot", "namespace", "pid", "started")
    return ".".join(parts.get(name, part) for name, part in zip(names, owner.me().split("."), strict=True))


@pytest.fixture
def ended() -> str:
    """The label of a process that has ended."""
    return python(PRINT)


def test_this_process_is_not_gone_and_an_ended_one_is(ended):
    assert owner.gone(owner.me()) is False and owner.gone(ended) is True


@pytest.mark.parametrize("seconds", [-86400, -1, 1, 86400])
def test_a_step_of_the_clock_ends_nobody(seconds):
    label = owner.me()
    with time_machine.travel(time.time() + seconds):
        assert owner.me() == label and owner.gone(label) is False


def test_a_pid_that_is_in_use_again_is_another_process():
    assert owner.gone(changed(started="1")) is True


def test_a_dead_process_that_nobody_has_waited_for_is_gone():
    text = (
        f"import time\n{PRINT.replace('print(owner.me())', 'print(owner.me(), flush=True)')}\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    label = process.stdout.readline().strip()
    assert owner.gone(label) is False
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert owner.gone(label) is True
    process.communicate()


@pytest.mark.parametrize(
    "label",
    ["", "unknown", "1234-1700000000", "a.b.c.d.e", "....", "1.2.3.4.5.6", "x" * 4000, "\udc80.\n.\t.0.0"],
)
def test_a_label_that_says_nothing_is_left_alone(label):
    assert owner.gone(label) is None


def test_another_namespace_or_machine_is_left_alone():
    assert owner.gone(changed(namespace="1", pid="999999999")) is None
    assert owner.gone(changed(machine="", boot="x", pid="999999999")) is None
    assert owner.gone(changed(machine="of-another", boot="x", pid="999999999")) is None


def test_all_processes_ended_when_this_machine_was_started_again(monkeypatch):
    monkeypatch.setattr(owner, "_machine", lambda: "this-one")
    assert owner.gone(changed(machine="this-one", boot="an-earlier-one")) is True


def namespaces(*flags: str) -> tuple[str, ...]:
    before = ("unshare", "--fork", "--pid", *flags)
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a PID namespace")
    return before


def test_a_process_of_another_namespace_is_left_alone_from_both_sides():
    before = namespaces("--mount-proc")
    inside = python(PRINT, before=before)
    assert inside.count(".") == 4 and owner.gone(inside) is None
    assert python(ASK, owner.me(), before=before) == "None"


def test_a_namespace_without_its_own_proc_knows_nothing():
    before = namespaces()
    assert python(PRINT, before=before) == owner.UNKNOWN
    assert python(ASK, owner.me(), before=before) == "None"
