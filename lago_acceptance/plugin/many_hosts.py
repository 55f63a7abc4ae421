"""Live runs against several hosts, side by side: a child process for each host, so that none delays or hides another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import msgspec
import pytest

from lago_acceptance.core import interrupts
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.plugin.options import OPTIONS
from lago_acceptance.plugin.selection import gate_only, runs_tests
from lago_acceptance.reports.verdict import in_words

# A run waits for its host about as long as it computes, so more of them than cores; with many more, probes time out.
SIDE_BY_SIDE = 3 * (os.cpu_count() or 1)
# The exit code of several runs is that of the worst: a host without a verdict is worse than one without checks.
_WORST_FIRST = (3, 2, 4, 1, 6, 5, 0)
INTERNAL_ERROR = 3
# How long an interrupted run may take to clean up.
END_SECONDS = 20
PYTEST = (sys.executable, "-m", "pytest")


class HostRun(msgspec.Struct, frozen=True):
    """How the run against one host ended."""

    host: str
    code: int
    output: str
    verdict: str


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    options = config.stash[OPTIONS]
    if len(options.hosts) < 2 or gate_only(config) or not runs_tests(config.option):
        return None
    try:
        interrupts.release()
        return run_each(options.hosts, config.invocation_params.args, options.reports, print)
    except KeyboardInterrupt:
        interrupts.end()
        print("interrupted: hosts without a verdict above were not judged")
        return pytest.ExitCode.INTERRUPTED


def run_each(
    hosts: Sequence[str],
    arguments: Sequence[str],
    reports: Path,
    write: Callable[[str], None],
    pytest_command: Sequence[str] = PYTEST,
) -> int:
    """Run the suite with these arguments against each host; the exit code of the worst run.

    ``write`` gets each host's output when its run ends, and the verdicts at the end. The reports of each host go to a
    folder of its own in ``reports``.
    """
    if len(set(hosts)) < len(hosts):
        raise UsageError("--hosts names a host twice")
    runs = _Runs([*pytest_command, *arguments], reports)
    ended: dict[str, HostRun] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            for future in as_completed([pool.submit(runs.run, host) for host in hosts]):
                each = future.result()
                ended[each.host] = each
                write(f"===== {each.host}\n{each.output.rstrip()}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runs.end()
            raise
    write("===== verdicts")
    for host in hosts:
        write(f"{host}: {ended[host].verdict}")
    codes = {each.code for each in ended.values()}
    return next((code for code in _WORST_FIRST if code in codes), INTERNAL_ERROR)


class _Runs:
    """Child processes, one for each host."""

    def __init__(self, command: list[str], reports: Path):
        self._command, self._reports = command, reports
        self._lock, self._ended = threading.Lock(), False
        self._running: list[subprocess.Popen[str]] = []

    def run(self, host: str) -> HostRun:
        """Run the suite against one host, to its end."""
        folder = self._reports / re.sub(r"[^A-Za-z0-9.@-]+", "_", host.removeprefix("ssh://"))
        before = _latest(folder)
        with self._lock:
            if self._ended:
                raise KeyboardInterrupt
            # Of an option that is given twice pytest takes the last.
            process = subprocess.Popen(
                [*self._command, "--hosts", host, "--reports", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._running.append(process)
        output, _ = process.communicate()
        # The code of a run that was killed is the signal's number, negative.
        code = process.returncode if process.returncode >= 0 else INTERNAL_ERROR
        try:
            # A run that was cut off has written no summary, and an earlier run's must not be taken for it.
            latest = _latest(folder)
            summary = (latest / "summary.json").read_text("utf-8") if latest != before else "{}"
            written = json.loads(summary).get("verdict", "")
        except (OSError, ValueError):
            written = ""
        return HostRun(host, code, output, written or in_words(code, ()))

    def end(self) -> None:
        """End all of them, and start no other."""
        with self._lock:
            self._ended = True
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _latest(folder: Path) -> Path:
    return (folder / "latest").resolve()
