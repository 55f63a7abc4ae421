"""Live runs that are ended at random moments: in time, with exit code 2, and nothing of them is left."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.support.kills import Machine, Struck
from tests.support.live.sshd import Sshd

# Names a run of these tests; another one strikes at other moments.
SEED = random.randrange(10**6)
# The host takes a while to answer, so that a run can be struck while it starts, reads and ends.
SLOW = 'echo "lago-acceptance begins"; sleep 2; exit 3'
LIFE = 6.0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, uses_docker=False)


def strike(machine: Machine, server: Sshd, kind: signal.Signals, after: float) -> Struck:
    return machine.strike(["-m", "smoke", *server.options], kind, after)


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(more, marks=pytest.mark.exhaustive) for more in (1, 2))]
)
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_ends_and_leaves_nothing(kind, number, machine, sshd):
    after = random.Random(f"{SEED} {kind} {number}").uniform(0, LIFE)
    struck = strike(machine, sshd(before=SLOW), kind, after)
    # Where the run was over first, the host could not be read.
    assert struck.is_right or struck.code == 6, f"seed {SEED}: {struck}\n{struck.output[-3000:]}"
    assert not struck.has_traceback, f"seed {SEED}: {struck}\n{struck.output[-3000:]}"
    assert machine.new(()) == [], f"seed {SEED}: {struck}"


@pytest.mark.parametrize(
    ("code", "output", "is_the_runs"),
    [
        (1, "Traceback (most recent call last):", True),
        (-signal.SIGINT, "Traceback (most recent call last):", False),
        (1, "Fatal Python error: init_import_site: ...\nTraceback (most recent call last):", False),
        (2, "interrupted", False),
    ],
)
def test_a_traceback_of_python_before_its_first_line_is_not_the_runs(code, output, is_the_runs):
    assert Struck(signal.SIGINT, 0, code, output, 0).has_traceback is is_the_runs


def test_what_killed_runs_left_is_removed_by_the_next(machine, sshd):
    server = sshd(before=SLOW)
    chance = random.Random(SEED)
    for _ in range(3):
        strike(machine, server, signal.SIGKILL, chance.uniform(1, LIFE))
    assert strike(machine, server, signal.SIGINT, 600).code == 6
    assert machine.new(()) == [], f"seed {SEED}"


def test_other_users_can_read_nothing_while_a_run_goes_on_and_after_it(machine, sshd):
    server = sshd(before=SLOW)
    assert machine.open_to_others(umask=0o000, arguments=["-m", "smoke", *server.options]) == []
    assert (machine.reports / "of-the-run" / "latest" / "summary.json").exists()


def test_a_second_interrupt_does_not_cut_off_the_end(machine, sshd):
    """Both come while the host is read; the connection is still closed."""
    server = sshd(before=SLOW)
    struck = machine.strike(["-m", "smoke", *server.options], signal.SIGINT, 3, again=3)
    assert struck.is_right or struck.code == 6, struck.output[-3000:]
    assert machine.new(()) == []
