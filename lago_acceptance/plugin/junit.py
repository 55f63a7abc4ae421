"""junit.xml of a run, in its folder or where --junitxml says; of the gate only with --junitxml.

It takes the place of pytest's own, which knows neither hosts nor phases, and only four ends of a check.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from lago_acceptance import __version__
from lago_acceptance.core import report_files
from lago_acceptance.plugin.history import host_of
from lago_acceptance.plugin.options import OPTIONS
from lago_acceptance.plugin.outcomes import ENDING
from lago_acceptance.plugin.reporting import DEPLOYMENT, RUN, RUN_ID, check_of
from lago_acceptance.plugin.selection import gate_only, runs_tests
from lago_acceptance.plugin.written import noted
from lago_acceptance.reports.junit import NO_PHASE, write
from lago_acceptance.reports.summary import Check


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # Without it with -p no:junitxml.
    if not runs_tests(config.option) or not hasattr(config.option, "xmlpath"):
        return
    if theirs := config.stash.get(xml_key, None):
        config.pluginmanager.unregister(theirs)
        del config.stash[xml_key]
    if config.option.xmlpath or not gate_only(config):
        config.pluginmanager.register(JUnit(config))


class JUnit:
    """Collects how checks ended, and what ended the run, and writes them."""

    def __init__(self, config: pytest.Config):
        self._config = config
        given = config.option.xmlpath
        self._given = Path(os.path.expanduser(os.path.expandvars(given))).absolute() if given else None
        self._checks: dict[str, Check] = {}
        self._written: Path | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self._checks[report.nodeid] = check_of(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._ended(report.nodeid, str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        self._ended("internal error of the suite", str(excrepr))

    def _ended(self, name: str, reason: str) -> None:
        self._checks[name] = Check(name, NO_PHASE, "crashed", 0.0, 0.0, reason[-2000:].strip())

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it, before the reporter searches the run's folder for secrets."""
        config = self._config
        if ending := config.stash.get(ENDING, ""):
            self._ended("verdict", ending)
        if self._given is None and (gate_only(config) or not self._checks):
            return
        options = config.stash[OPTIONS]
        host = "the compose file" if gate_only(config) else host_of(options)
        known = {
            "host": host,
            "target": "gate" if gate_only(config) else options.target,
            "lago": config.stash[DEPLOYMENT].lago if DEPLOYMENT in config.stash else "",
            "suite": f"lago-acceptance {__version__}",
            "run": config.stash.get(RUN_ID, ""),
        }
        run = config.stash.get(RUN, None)
        folder = run.reports if run else options.reports / config.stash.get(RUN_ID, "")
        file = self._given or folder / "junit.xml"
        with noted(config):
            try:
                report_files.make_folder(file.parent)
                write(file, self._checks.values(), host, {name: text for name, text in known.items() if text})
            except report_files.NotWritten:
                with contextlib.suppress(OSError):
                    file.unlink()
                raise
            self._written = file

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it is."""
        if self._written:
            terminalreporter.write_sep("-", f"generated xml file: {self._written}")
