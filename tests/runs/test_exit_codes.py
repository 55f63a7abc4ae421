"""What a run says of itself: a fault of the suite is not a verdict on the deployment."""

from __future__ import annotations

import pytest

from lago_acceptance.core import interrupts

PLUGIN = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.name == "test_rule[{rule}]":
        raise KeyError("a mistake of the suite")
"""


@pytest.fixture
def crashing(suite, tmp_path):
    """Call it with options: a run in which one rule's check crashes."""

    def run(*arguments: str, rule: str = "no-clock-service"):
        (tmp_path / "crashing.py").write_text(PLUGIN.format(rule=rule))
        return suite("-p", "crashing", "-m", "gate", *arguments, PYTHONPATH=str(tmp_path))

    return run


def test_a_crash_of_the_suite_is_not_a_verdict(crashing):
    ended = crashing()
    assert ended.code == 3, ended.output[-2000:]
    assert "test_rule[no-clock-service] was not judged, because of an error in this suite" in ended.output


def test_a_crash_does_not_hide_what_is_red(crashing, tmp_path):
    file = tmp_path / "compose.yml"
    file.write_text("services: {api: {image: 'getlago/api:v1.16.0', privileged: true}}")
    ended = crashing(f"--compose-file={file}")
    assert ended.code == 1, ended.output[-2000:]


LOSING = """
import signal

class Lost:
    def __del__(self):
        signal.raise_signal(signal.{name})

def pytest_pycollect_makemodule():
    Lost()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_that_python_would_lose_ends_the_run(suite, tmp_path, name):
    """Python ignores what is raised while it deletes an object, which it also does in the middle of an import."""
    (tmp_path / "losing.py").write_text(LOSING.format(name=name))
    ended = suite("-p", "losing", "-m", "gate", PYTHONPATH=str(tmp_path))
    assert ended.code == 2 and "Traceback" not in ended.output, ended.output[-2000:]


ENDING = """
import signal
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol():
    pytest.exit("the host is gone", 6)

@pytest.hookimpl({order}=True)
def pytest_keyboard_interrupt():
    signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.parametrize("order", ["tryfirst", "trylast"])
def test_an_interrupt_while_the_end_of_a_run_is_reported_does_not_break_that_off(suite, tmp_path, order):
    (tmp_path / "ending.py").write_text(ENDING.format(order=order))
    ended = suite("-p", "ending", "-m", "gate", PYTHONPATH=str(tmp_path))
    assert ended.code == 2 and "Traceback" not in ended.output, ended.output[-2000:]


LAST = """
import os

class Last:
    def __del__(self, kill=os.kill, itself=os.getpid()):
        kill(itself, {number})

last = Last()
"""


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_signal_while_python_itself_ends_does_not_take_the_exit_code_away(suite, tmp_path, number):
    """Python has taken the handlers away by then."""
    (tmp_path / "last.py").write_text(LAST.format(number=int(number)))
    ended = suite("-p", "last", "-m", "gate", PYTHONPATH=str(tmp_path))
    assert ended.code == 0, ended.output[-2000:]
