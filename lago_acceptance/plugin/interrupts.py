"""An interrupted run has exit code 2, after everything has been cleaned up."""

from __future__ import annotations

import signal
from collections.abc import Generator
from types import TracebackType

import pytest

from lago_acceptance.core import interrupts


def pytest_addoption() -> None:
    # pytest itself is ready for an interrupt once a session has begun; it is let through when the checks are collected.
    interrupts.watch()
    interrupts.hold()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    result = yield
    interrupts.release()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Keep of a traceback what pytest can print: a frame that is interrupted between two lines has no line."""
    # pytest has it now, and raised once more it would end the program at once.
    interrupts.end()
    entry: TracebackType | None = excinfo.tb
    while entry is not None:
        if entry.tb_lineno is None and entry.tb_next is not None:
            excinfo._excinfo = (excinfo.type, excinfo.value, entry.tb_next)
        entry = entry.tb_next


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart() -> None:
    # One that Python has lost.
    if interrupts.received():
        raise KeyboardInterrupt


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """After the last check pytest reports why the run ends, and an exception in there would be the suite's own fault."""
    try:
        return (yield)
    finally:
        interrupts.end()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish() -> Generator[None]:
    # Of a run that ends before its first check.
    interrupts.end()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    interrupts.ignore()


class AtTheEnd:
    """An interrupt while the run is reported or the deployment taken down does not cut that off, and is reported."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if interrupts.received():
            session.exitstatus = pytest.ExitCode.INTERRUPTED


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(AtTheEnd())
    if config.option.usepdb or config.option.trace:
        # At a debugger's prompt Ctrl-C ends a line and not the run.
        signal.signal(signal.SIGINT, signal.default_int_handler)
