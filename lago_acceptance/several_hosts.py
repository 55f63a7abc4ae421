"""Live runs against several hosts, side by side: each a process of its own, so that none waits for or hides
another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import msgspec

from lago_acceptance.errors import UsageError
from lago_acceptance.reports.summary import verdict
from lago_acceptance.ssh_address import parse

# A run waits for its host about as long as it works: more at a time than cores, and not so many that probes
# time out.
SIDE_BY_SIDE = 2 * (os.cpu_count() or 1)
# The worst of several: nothing said about one of them is worse than that nothing was checked.
_WORST_FIRST = (3, 2, 4, 1, 6, 5, 0)


class Looked(msgspec.Struct, frozen=True):
    """How the run against one host ended."""

    host: str
    code: int
    output: str
    verdict: str


def look(hosts: Sequence[str], arguments: Sequence[str], reports: str, tell: Callable[[str], None]) -> int:
    """Run the suite with these arguments against each host; the exit code that says the worst.

    ``tell`` receives each host's output when its run ends, and the verdicts at the end. Reports go to a
    folder for each host in ``reports``.
    """
    for host in hosts:
        parse(host)
    if len(set(hosts)) < len(hosts):
        raise UsageError("--hosts names a host twice")
    ended: dict[str, Looked] = {}
    running: list[subprocess.Popen] = []
    executor = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        looks = [
            executor.submit(_one, host, _without_hosts(arguments), Path(reports), running) for host in hosts
        ]
        for each in as_completed(looks):
            looked = each.result()
            ended[looked.host] = looked
            tell(f"===== {looked.host}\n{looked.output.rstrip()}")
    except KeyboardInterrupt:
        for process in running:
            process.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
    tell("===== verdicts")
    for host in hosts:
        tell(f"{host}: {ended[host].verdict}")
    codes = {looked.code for looked in ended.values()}
    return next((code for code in _WORST_FIRST if code in codes), 3)


def _one(host: str, arguments: list[str], reports: Path, running: list[subprocess.Popen]) -> Looked:
    folder = reports / re.sub(r"[^A-Za-z0-9.@-]+", "_", host.removeprefix("ssh://"))
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments, "--hosts", host, "--reports", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    running.append(process)
    output, _ = process.communicate()
    try:
        said = json.loads((folder / "latest" / "summary.json").read_text("utf-8"))["verdict"]
    except (OSError, ValueError, KeyError):
        said = verdict(process.returncode, ())
    return Looked(host, process.returncode, output, said)


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
