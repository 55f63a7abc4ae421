"""What a run writes is for its owner's eyes alone; and a report that can't be written changes no verdict."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from lago_acceptance.core import report_files, streams

FAILED: pytest.StashKey[list[str]] = pytest.StashKey()


@contextlib.contextmanager
def noted(config: pytest.Config) -> Iterator[None]:
    """Let a report that can't be written be a note at the end of the run: the checks have been judged."""
    try:
        yield
    except report_files.NotWritten as error:
        failed = config.stash.setdefault(FAILED, [])
        if str(error) not in failed:
            failed.append(str(error))


def pytest_addoption() -> None:
    # Before pytest takes hold of them.
    streams.settle()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    # Also for files of libraries and child processes: traces of a browser, pytest's cache, Allure's own plugin.
    os.umask(0o077)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    streams.say_what_was_lost("lago-acceptance")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if failed := config.stash.get(FAILED, []):
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        terminalreporter.write_line(
            f"the reports of this run are not complete; verdict and exit code are those of its checks all the same: "
            f"{failed[0]}{more}",
            red=True,
        )
