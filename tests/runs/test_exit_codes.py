"""What a run says of itself: a fault of the suite is not a verdict on the deployment."""

from __future__ import annotations

import pytest

from lago_acceptance.core import interrupts
from tests.support import suite_run

PLUGIN = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.name == "test_rule[{rule}]":
        raise KeyError("a mistake of the suite")
"""


@pytest.fixture
def with_plugin(suite, tmp_path):
    """Call it with a plugin's text and options: a run of the gate with this plugin of pytest."""

    def run(text: str, *arguments: str):
        (tmp_path / "given_plugin.py").write_text(text)
        return suite("-p", "given_plugin", "-m", "gate", *arguments, PYTHONPATH=str(tmp_path))

    return run


@pytest.fixture
def crashing(with_plugin):
    """Call it with options: a run in which one rule's check crashes."""

    def run(*arguments: str, rule: str = "no-clock-service"):
        return with_plugin(PLUGIN.format(rule=rule), *arguments)

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
def test_an_interrupt_that_python_would_lose_ends_the_run(with_plugin, name):
    """Python ignores what is raised while it deletes an object, which it also does in the middle of an import."""
    ended = with_plugin(LOSING.format(name=name))
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
def test_an_interrupt_while_the_end_of_a_run_is_reported_does_not_break_that_off(with_plugin, order):
    ended = with_plugin(ENDING.format(order=order))
    assert ended.code == 2 and "Traceback" not in ended.output, ended.output[-2000:]


LAST = """
import os

class Last:
    def __del__(self, kill=os.kill, itself=os.getpid()):
        kill(itself, {number})

last = Last()
"""


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_signal_while_python_itself_ends_does_not_take_the_exit_code_away(with_plugin, number):
    """Python has taken the handlers away by then."""
    ended = with_plugin(LAST.format(number=int(number)))
    assert ended.code == 0, ended.output[-2000:]


@pytest.mark.parametrize("option", ["--seed", "--reseed"])
def test_seeding_that_no_selected_check_would_do_is_refused(option, tmp_path):
    refused = suite_run.run(tmp_path, "-m", "phase3", option)
    suite_run.assert_refused(refused, 4, f"usage: {option}: none of the selected checks needs a seeded Lago")
