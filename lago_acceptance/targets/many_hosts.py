"""Live runs against several hosts, side by side: each a process of its own, so that none waits for or hides
another."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import msgspec

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.hosts.address import parse
from lago_acceptance.reports.summary import verdict

# A run waits for its host about as long as it works: more at a time than cores, and not so many that probes
# time out.
SIDE_BY_SIDE = 3 * (os.cpu_count() or 1)
# The worst of several: nothing said about one of them is worse than that nothing was checked.
_WORST_FIRST = (3, 2, 4, 1, 6, 5, 0)
INTERNAL_ERROR = 3

Run = Callable[[list[str]], int]


class Looked(msgspec.Struct, frozen=True):
    """How the run against one host ended."""

    host: str
    code: int
    output: str
    verdict: str


def look(
    hosts: Sequence[str], arguments: Sequence[str], reports: str, tell: Callable[[str], None], run: Run
) -> int:
    """Run the suite with these arguments against each host; the exit code that says the worst.

    ``run`` runs it in the process in which it is called, which is forked from this one: what is loaded here
    need not be loaded again. ``tell`` receives each host's output when its run ends, and the verdicts at the
    end. Reports go to a folder for each host in ``reports``.
    """
    for host in hosts:
        parse(host)
    if len(set(hosts)) < len(hosts):
        raise UsageError("--hosts names a host twice")
    common = _without_hosts(arguments)
    ended: dict[str, Looked] = {}
    for looked in _side_by_side(hosts, common, Path(reports), run):
        ended[looked.host] = looked
        tell(f"===== {looked.host}\n{looked.output.rstrip()}")
    tell("===== verdicts")
    for host in hosts:
        tell(f"{host}: {ended[host].verdict}")
    codes = {looked.code for looked in ended.values()}
    return next((code for code in _WORST_FIRST if code in codes), INTERNAL_ERROR)


def _side_by_side(hosts: Sequence[str], common: list[str], reports: Path, run: Run) -> Iterator[Looked]:
    """Each run as it ends. All of them are ended when this one is left early."""
    waiting = list(reversed(hosts))
    running: dict[int, _One] = {}
    with ExitStack() as files:
        try:
            while waiting or running:
                while waiting and len(running) < SIDE_BY_SIDE:
                    one = _One(waiting.pop(), common, reports, run, files.enter_context(TemporaryFile()))
                    running[one.process.sentinel] = one
                for sentinel in wait(list(running)):
                    yield running.pop(sentinel).looked()
        finally:
            for one in running.values():
                one.process.terminate()
            for one in running.values():
                one.process.join()


class _One:
    """The run against one host, in a process of its own."""

    def __init__(self, host: str, common: list[str], reports: Path, run: Run, output: IO[bytes]):
        self.host, self._output = host, output
        self._folder = reports / re.sub(r"[^A-Za-z0-9.@-]+", "_", host.removeprefix("ssh://"))
        self._before = self._latest()
        arguments = [*common, "--hosts", host, "--reports", str(self._folder)]
        sys.stdout.flush()
        sys.stderr.flush()
        self.process: BaseProcess = multiprocessing.get_context("fork").Process(
            target=_run, args=(run, arguments, self._output)
        )
        self.process.start()

    def looked(self) -> Looked:
        """How it ended."""
        self.process.join()
        # One that was killed ends with the signal's number, negative.
        code = self.process.exitcode if self.process.exitcode >= 0 else INTERNAL_ERROR
        self._output.seek(0)
        output = self._output.read().decode("utf-8", "replace")
        latest = self._latest()
        try:
            # One that broke off has written none, and an earlier run's says nothing of it.
            said = (
                json.loads((latest / "summary.json").read_text("utf-8"))["verdict"]
                if latest != self._before
                else ""
            )
        except (OSError, ValueError, KeyError):
            said = ""
        return Looked(self.host, code, output, said or verdict(code, ()))

    def _latest(self) -> Path:
        return (self._folder / "latest").resolve()


def _run(run: Run, arguments: list[str], output: IO[bytes]) -> None:
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    sys.exit(int(run(arguments)))


def _without_hosts(arguments: Sequence[str]) -> list[str]:
    """The arguments without --hosts and its value, which each run gets its own of."""
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
