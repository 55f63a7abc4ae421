"""Workers of pytest-xdist that are interrupted take down what they have brought up, as a run without workers does.

Left to itself, xdist interrupts what a worker does at its end too, and kills it after some seconds.
"""

from __future__ import annotations

import contextlib
import signal
import time

import psutil
import pytest

from tests.support.kills import END_SECONDS


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker."""
    return hasattr(config, "workerinput")


def interrupt_once(*_: object) -> None:
    """A worker's handler of SIGINT: the terminal sends one, the run another, and execnet a third after five seconds."""
    # Not SIG_IGN: what the worker still starts would inherit that.
    signal.signal(signal.SIGINT, lambda *_: None)
    raise KeyboardInterrupt


class Workers:
    """What the run knows of its workers."""

    def __init__(self) -> None:
        self._nodes: list = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node) -> None:
        self._nodes.append(node)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus != pytest.ExitCode.INTERRUPTED:
            return
        if self._nodes:
            for each in psutil.Process().children():
                each.send_signal(signal.SIGINT)
        deadline = time.monotonic() + END_SECONDS
        for node in self._nodes:
            # One that has died says so here, and one that does not end is killed by xdist.
            with contextlib.suppress(EOFError, node.channel.TimeoutError, node.channel.RemoteError):
                node.channel.waitclose(max(0.0, deadline - time.monotonic()))


def pytest_configure(config: pytest.Config) -> None:
    if not is_worker(config):
        config.pluginmanager.register(Workers())
