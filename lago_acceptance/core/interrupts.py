"""Ctrl-C, SIGTERM and SIGHUP: each ends a program with a KeyboardInterrupt, once, and at a moment that does no harm.

Raised in the middle of an import it may leave that module's lock behind, for which other threads wait forever; raised
while an object is deleted Python ignores it; and a second one must not cut off the clean-up after the first.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds until the first and between all later attempts to raise.
_AGAIN = (0.02, 0.2)


class _State:
    received = False
    held = 0


_state = _State()


def watch() -> None:
    """Take these signals from now on. One that is ignored (nohup) stays so. Works in the main thread alone."""
    if not _is_main():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _receive)
    signal.signal(signal.SIGALRM, _try_again)


def received() -> bool:
    """Whether one has come."""
    return _state.received


def hold() -> None:
    """Raise nothing until ``release``: what goes on is short, or must not be cut off. Only the main thread is meant."""
    if _is_main():
        _state.held += 1


def release() -> None:
    """The opposite of ``hold``; what has come meanwhile is raised now."""
    if not _is_main():
        return
    _state.held -= 1
    if _state.received and not _is_ending():
        _deliver(None)


def end() -> None:
    """Raise nothing from now on: the program ends anyway."""
    _state.held += 1
    signal.setitimer(signal.ITIMER_REAL, 0)


def ignore() -> None:
    """Leave the exit code alone: Python takes its handlers away before it ends, and then a signal would kill it."""
    if _is_main():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def deferred() -> Iterator[None]:
    """Let an interrupt wait for the end of a ``with`` block."""
    hold()
    try:
        yield
    finally:
        release()


def _receive(number: int, frame: FrameType | None) -> None:
    first, _state.received = not _state.received, True
    if first and not _state.held:
        _deliver(frame)


def _try_again(number: int, frame: FrameType | None) -> None:
    if _state.held or _is_ending():
        return
    _raise_unless_importing(frame)


def _deliver(frame: FrameType | None) -> None:
    if _state.held:
        return
    # Until the program is seen to end: the exception may be ignored.
    signal.setitimer(signal.ITIMER_REAL, *_AGAIN)
    _raise_unless_importing(frame)


def _raise_unless_importing(frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_ending() -> bool:
    """Whether a KeyboardInterrupt is being handled further up."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False
