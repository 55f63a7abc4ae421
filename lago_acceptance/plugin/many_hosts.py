"""Live runs against several hosts, side by side: a child process for each, so that none waits for or hides another."""

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

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.plugin.options import OPTIONS
from lago_acceptance.plugin.outcomes import interrupt_on_sigterm
from lago_acceptance.plugin.selection import gate_only, runs_tests
from lago_acceptance.reports.summary import verdict

# A run waits for its host about as long as it works: more at a time than cores, and not so many that probes
# time out.
SIDE_BY_SIDE = 3 * (os.cpu_count() or 1)
# The worst of several: nothing said about one of them is worse than that nothing was checked.
_WORST_FIRST = (3, 2, 4, 1, 6, 5, 0)
INTERNAL_ERROR = 3
PYTEST = (sys.executable, "-m", "pytest")


class Looked(msgspec.Struct, frozen=True):
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
    interrupt_on_sigterm()
    try:
        return look(options.hosts, config.invocation_params.args, options.reports, print)
    except KeyboardInterrupt:
        print("interrupted: nothing is known of the hosts that have no verdict above")
        return pytest.ExitCode.INTERRUPTED


def look(
    hosts: Sequence[str],
    arguments: Sequence[str],
    reports: Path,
    tell: Callable[[str], None],
    pytest_command: Sequence[str] = PYTEST,
) -> int:
    """Run the suite with these arguments against each host; the exit code that says the worst.

    ``tell`` receives each host's output when its run ends, and the verdicts at the end. Reports go to a folder for each
    host in ``reports``.
    """
    if len(set(hosts)) < len(hosts):
        raise UsageError("--hosts names a host twice")
    runs = _Runs([*pytest_command, *_without_hosts(arguments)], reports)
    ended: dict[str, Looked] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            for future in as_completed([pool.submit(runs.run, host) for host in hosts]):
                looked = future.result()
                ended[looked.host] = looked
                tell(f"===== {looked.host}\n{looked.output.rstrip()}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runs.end()
            raise
    tell("===== verdicts")
    for host in hosts:
        tell(f"{host}: {ended[host].verdict}")
    codes = {looked.code for looked in ended.values()}
    return next((code for code in _WORST_FIRST if code in codes), INTERNAL_ERROR)


class _Runs:
    """Child processes, one for each host."""

    def __init__(self, command: list[str], reports: Path):
        self._command, self._reports = command, reports
        self._lock, self._ended = threading.Lock(), False
        self._running: list[subprocess.Popen[str]] = []

    def run(self, host: str) -> Looked:
        """Run the suite against one host, to its end."""
        folder = self._reports / re.sub(r"[^A-Za-z0-9.@-]+", "_", host.removeprefix("ssh://"))
        before = _latest(folder)
        with self._lock:
            if self._ended:
                raise KeyboardInterrupt
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
        # One that was killed ends with the signal's number, negative.
        code = process.returncode if process.returncode >= 0 else INTERNAL_ERROR
        try:
            # A run that broke off has written none, and an earlier run's says nothing of it.
            latest = _latest(folder)
            summary = (latest / "summary.json").read_text("utf-8") if latest != before else "{}"
            said = json.loads(summary).get("verdict", "")
        except (OSError, ValueError):
            said = ""
        return Looked(host, code, output, said or verdict(code, ()))

    def end(self) -> None:
        """End all of them, and begin no other one."""
        with self._lock:
            self._ended = True
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait()


def _latest(folder: Path) -> Path:
    return (folder / "latest").resolve()


def _without_hosts(arguments: Sequence[str]) -> list[str]:
    """The arguments without --hosts and its value: each run gets its own."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--hosts":
            skip = True
        elif not argument.startswith("--hosts="):
            kept.append(argument)
    return kept
