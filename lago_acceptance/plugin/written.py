"""What a run writes is for its owner's eyes alone; and a report that can't be written changes no verdict."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.junitxml import LogXML, xml_key

from lago_acceptance.core import report_files, streams
from lago_acceptance.plugin.selection import runs_tests

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
def pytest_configure(config: pytest.Config) -> None:
    theirs = config.stash.get(xml_key, None)
    if theirs is None or not runs_tests(config.option):
        return
    config.pluginmanager.unregister(theirs)
    config.stash[xml_key] = ours = JUnit(config)
    config.pluginmanager.register(ours)


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


class JUnit(LogXML):
    """pytest's junit.xml, whose failure to be written is a note."""

    def __init__(self, config: pytest.Config):
        super().__init__(
            config.option.xmlpath,
            config.option.junitprefix,
            config.getini("junit_suite_name"),
            config.getini("junit_logging"),
            config.getini("junit_duration_report"),
            config.getini("junit_family"),
            config.getini("junit_log_passing_tests"),
        )
        self._config = config
        self._is_written = False

    def pytest_sessionfinish(self) -> None:
        """Write it."""
        file = Path(self.logfile)
        with noted(self._config):
            report_files.make_folder(file.parent)
            try:
                with report_files.writing(file):
                    super().pytest_sessionfinish()
                    if file.is_file():
                        # It may replace one of an earlier version, which everybody could read.
                        file.chmod(report_files.FILE)
            except report_files.NotWritten:
                with contextlib.suppress(OSError):
                    file.unlink()
                raise
            self._is_written = True

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """Say where it is."""
        if self._is_written:
            super().pytest_terminal_summary(terminalreporter, config)
