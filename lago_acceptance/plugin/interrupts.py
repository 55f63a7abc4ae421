"""Ctrl-C and SIGTERM: both end a run with exit code 2, after everything has been cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import pytest


def on_sigterm() -> None:
    """SIGTERM ends a run as Ctrl-C does: the stack is taken down, the exit code is 2."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


@contextmanager
def deferred() -> Iterator[None]:
    """Let an interrupt take effect at the end of a ``with`` block that imports modules.

    In the middle of an import Python may lose it, or keep the module's lock so that other threads wait for it forever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise KeyboardInterrupt


def pytest_configure() -> None:
    on_sigterm()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    with deferred():
        return (yield)
