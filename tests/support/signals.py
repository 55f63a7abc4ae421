"""The handlers of signals as a program of the suite sets them, taken back after a test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from lago_acceptance.core import interrupts


@contextmanager
def watched() -> Iterator[None]:
    """Interrupts as ``interrupts.watch`` takes them, in this process, until the end of the block."""
    numbers = (*interrupts.SIGNALS, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    interrupts._state.received, interrupts._state.held = False, 0
    interrupts.watch()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        interrupts._state.received, interrupts._state.held = False, 0
