"""Workers that are interrupted take down what they have brought up, however often they are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from lago_acceptance.core.waiting import until
from tests.support import suite_run
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

# xdist would kill the workers at once.
CONFTEST = f"""
import os, pathlib, signal, pytest
from lago_acceptance.core.waiting import until
from tests.conftest import pytest_configure

HERE = pathlib.Path(__file__).parent

@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.nodemanager.EXIT_TIMEOUT = 0.01

@pytest.fixture(scope="session")
def brought_up():
    (HERE / f"up-{{os.getpid()}}").touch()
    yield
    if (HERE / "dies").exists():
        os._exit(1)
    os.kill(os.getpid(), signal.SIGINT)
    (HERE / f"up-{{os.getpid()}}").unlink()
    (HERE / f"down-{{os.getpid()}}").touch()

@pytest.fixture
def endless(brought_up):
    until(lambda: False, {PATIENCE})
"""


@pytest.mark.parametrize("to_all", [True, False], ids=["from the terminal", "to the run alone"])
def test_what_workers_have_brought_up_is_taken_down(tmp_path: Path, to_all: bool):
    code, output = interrupted(tmp_path, to_all)
    assert code == 2, output
    assert [each.name for each in tmp_path.glob("up-*")] == [], output
    assert len(list(tmp_path.glob("down-*"))) == 2


def test_workers_that_die_of_it_are_not_waited_for(tmp_path: Path):
    (tmp_path / "dies").touch()
    code, output = interrupted(tmp_path, to_all=False)
    assert code == 2 and "EOFError" not in output, output


def interrupted(tmp_path: Path, to_all: bool) -> tuple[int, str]:
    """Exit code and output of a run with two workers that is interrupted once both are in a test."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text("def test_it(endless): pass\n")
    options = ("-c", str(ROOT / "tests" / "pytest.ini"), "--rootdir", str(tmp_path), "-p", "xdist", "-n", "2")
    run = subprocess.Popen(
        suite_run.command(*options, str(tmp_path)),
        env=suite_run.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert until(lambda: len(list(tmp_path.glob("up-*"))) == 2, PATIENCE), "the workers did not begin"
        os.killpg(run.pid, signal.SIGINT) if to_all else run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=PATIENCE)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    return run.returncode, output
