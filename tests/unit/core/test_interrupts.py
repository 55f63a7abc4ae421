"""An interrupt ends a program once, and at a moment that does no harm."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_acceptance.core import interrupts
from lago_acceptance.core.waiting import until
from tests.support import signals
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    with signals.watched():
        yield


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_it_takes_effect_at_once(number: signal.Signals):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert interrupts.received()


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_deferred_it_takes_effect_at_the_end_of_the_block(number: signal.Signals):
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        with interrupts.deferred():
            signal.raise_signal(number)
        reached.append("the end")
    assert reached == ["the end"]


def test_without_an_interrupt_nothing_is_raised():
    with interrupts.deferred():
        pass
    assert not interrupts.received()


def test_a_second_one_does_not_cut_off_the_clean_up_after_the_first():
    cleaned = []
    with pytest.raises(KeyboardInterrupt):
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            try:
                raise ValueError("something else goes wrong meanwhile")
            except ValueError:
                signal.raise_signal(signal.SIGINT)
            with interrupts.deferred():
                signal.raise_signal(signal.SIGTERM)
            cleaned.append("all")
    assert cleaned == ["all"]


class Losing:
    """Python ignores what is raised while it deletes one."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_python_loses_is_raised_again():
    Losing()
    with pytest.raises(KeyboardInterrupt):
        until(lambda: False, 20)


def test_in_the_middle_of_an_import_it_waits_for_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An import that is broken off may leave its lock behind, for which other threads wait forever."""
    (tmp_path / "lago_test_imported.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("lago_test_imported")
        until(lambda: False, 20)
    assert sys.modules.pop("lago_test_imported").whole


def test_after_the_end_nothing_is_raised():
    interrupts.end()
    signal.raise_signal(signal.SIGINT)
    assert interrupts.received()


def test_what_nohup_ignores_stays_ignored():
    program = (
        "import signal; from lago_acceptance.core import interrupts; interrupts.watch(); "
        "signal.raise_signal(signal.SIGHUP); print('goes on')"
    )
    ended = subprocess.run(
        ["nohup", sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0 and ended.stdout == "goes on\n", ended.stderr
