"""The gate (``-m gate``): its compose files, which are read while pytest starts, and its report.

Docker's daemon is not needed.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API
from lago_acceptance.core.verdicts import Unknown, UsageError
from lago_acceptance.lago.versions import tag_of
from lago_acceptance.plugin.options import OPTIONS
from lago_acceptance.plugin.outcomes import ENDING, terminal_of
from lago_acceptance.plugin.selection import asks_for_gate, gate_only, needs_base, runs_tests
from lago_acceptance.plugin.written import noted

if TYPE_CHECKING:
    from lago_acceptance.gate.engine import FileVerdict, Judging

JUDGING: pytest.StashKey[Judging] = pytest.StashKey()
# The tag of Lago's image in --base, where a stack is started.
REPLACED: pytest.StashKey[str] = pytest.StashKey()


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if config.option.explain is None:
        return None
    from lago_acceptance.core.explain import explanation

    print(explanation(config.option.explain))
    return 0


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Compose is slow to start: it runs while pytest starts and collects.
    given = early_config.known_args_namespace
    if asks_for_gate(given.markexpr) and runs_tests(given):
        _start(early_config)


def _start(config: pytest.Config) -> None:
    from lago_acceptance.composefile.found_files import projects_in
    from lago_acceptance.gate.engine import Judging, Question

    options = config.stash[OPTIONS]
    projects = projects_in(options.compose_files, options.overlays)
    question = Question(
        options.env_file, config.known_args_namespace.base, options.settings, overlays=projects
    )
    config.stash[JUDGING] = Judging(tuple(projects), question)
    config.add_cleanup(config.stash[JUDGING].close)


def verdicts_of(config: pytest.Config) -> tuple[FileVerdict, ...]:
    """What was found in the compose files, each judged once. UsageError where one can't be used."""
    if JUDGING not in config.stash:
        _start(config)
    return config.stash[JUDGING].verdicts


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    given = config.option
    of_stack = not gate_only(config) and bool(given.markexpr or given.target or given.hosts)
    if given.base is None or of_stack:
        compared = [item for item in items if needs_base(item)]
        config.hook.pytest_deselected(items=compared)
        items[:] = [item for item in items if item not in compared]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if gate_only(config):
        _begin(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    if gate_only(config):
        _begin(config)
    if config.option.base and not gate_only(config):
        config.stash[REPLACED] = _replaced(config)
    if config.option.overlay and not gate_only(config):
        raise pytest.UsageError("--overlay is laid over a compose file by the gate; it belongs to -m gate")


def _replaced(config: pytest.Config) -> str:
    """The tag of Lago's image in ``--base``, in whose place a stack runs another one; "" where it has none.

    pytest.UsageError where the base can't be read, or no stack is started.
    """
    from tempfile import TemporaryDirectory

    from lago_acceptance.gate.git_base import base_of

    options, base = config.stash[OPTIONS], config.option.base
    if options.target != "stack":
        raise pytest.UsageError("--base compares two compose files: it is for -m gate, and for a stack")
    try:
        with TemporaryDirectory(prefix="lago-base-") as scratch:
            old = base_of(base, options.compose_file, options.env_file, Path(scratch))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    except Unknown as reason:
        raise pytest.UsageError(f"--base {base}: {reason}") from None
    api = next(iter(old.model.of_role(API)), None)
    return tag_of(api) if api else ""


def _begin(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin(GateReport.NAME) or not runs_tests(config.option):
        return
    # Each finding is printed once, in the gate's own report.
    verbose = config.option.verbose > 0
    config.option.tbstyle, config.option.verbose = "no", min(config.option.verbose, -1)
    terminal_of(config).reportchars = ""
    config.pluginmanager.register(GateReport(config, verbose), GateReport.NAME)


class GateReport:
    """Gathers findings and writes them at the end: terminal, gate.json, gate.sarif, GitHub annotations."""

    NAME = "lago-gate-report"

    def __init__(self, config: pytest.Config, verbose: bool):
        self._config, self._verbose = config, verbose
        self._findings: list[Finding] = []
        self._crashes: list[str] = []
        self._verdicts: tuple[FileVerdict, ...] = ()
        self._judged = False

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._judged = True
        if report.when == "call":
            self._findings += getattr(report, "findings", ())
        if getattr(report, "kind", "") == "crashed":
            last = str(report.longrepr).strip().splitlines()[-1]
            self._crashes.append(f"{report.nodeid} was not judged, because of an error in this suite: {last}")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        strict = self._config.option.strict and any(
            each.severity is Severity.WARNING for each in self._findings
        )
        if strict and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield
        if ENDING in self._config.stash or not self._judged:
            return
        from lago_acceptance.gate import report

        self._verdicts = verdicts_of(self._config)
        with noted(self._config):
            report.write(self._config.stash[OPTIONS].reports, self._findings, self._verdicts)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if ending := self._config.stash.get(ENDING, ""):
            terminalreporter.write_line(ending)
        if not self._verdicts:
            return
        from lago_acceptance.gate import engine, report

        not_compared = engine.not_compared(self._verdicts)
        page = report.for_terminal(
            self._findings,
            self._verdicts,
            not_compared,
            color=terminalreporter.hasmarkup,
            verbose=self._verbose,
        )
        terminalreporter.write_line(page)
        for crash in self._crashes:
            terminalreporter.write_line(crash, red=True)
        for line in report.for_github(self._findings, self._verdicts):
            terminalreporter.write_line(line)
