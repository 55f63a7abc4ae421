"""What pytest prints of an interrupt."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from types import FrameType, TracebackType

import pytest

from lago_acceptance.core import interrupts
from lago_acceptance.plugin.interrupts import pytest_keyboard_interrupt
from tests.support import signals


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    with signals.watched():
        yield


def interrupted() -> FrameType:
    """A frame of this function, whose code has instructions that belong to no line."""
    try:
        raise ValueError
    except ValueError as error:
        return sys._getframe(len(error.args))


def between_two_lines(following: TracebackType) -> TracebackType:
    """A traceback whose first entry is where an instruction of no line was interrupted."""
    frame = interrupted()
    at = next(begin for begin, _, line in frame.f_code.co_lines() if line is None)
    return TracebackType(following, frame, at, -1)


def test_a_frame_that_was_interrupted_between_two_lines_is_left_out():
    with pytest.raises(KeyboardInterrupt) as raised:
        raise KeyboardInterrupt
    traceback = between_two_lines(raised.tb)
    broken = pytest.ExceptionInfo.from_exc_info((KeyboardInterrupt, raised.value, traceback))
    assert broken.tb.tb_lineno is None, "nothing is proven"
    pytest_keyboard_interrupt(broken)
    assert broken.tb is raised.tb and "KeyboardInterrupt" in str(broken.getrepr())


def test_other_tracebacks_stay_as_they_are():
    with pytest.raises(KeyboardInterrupt) as raised:
        raise KeyboardInterrupt
    before = raised.tb
    pytest_keyboard_interrupt(raised)
    assert raised.tb is before


def test_what_pytest_has_taken_is_not_raised_again():
    with pytest.raises(KeyboardInterrupt) as raised:
        signal.raise_signal(signal.SIGINT)
    pytest_keyboard_interrupt(raised)
    assert interrupts.received() and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    # An alarm that was on its way changes nothing either.
    signal.raise_signal(signal.SIGALRM)
