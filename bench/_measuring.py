"""How a benchmark measures, and how it prints what it measured."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

# Of one process that is measured: it ends what hangs, and says nothing of how long anything may take.
DEADLINE = 1800


def seconds(*works: Callable[[], object], rounds: int) -> list[float]:
    """The median of each work over a few rounds of all of them, so that they meet the same machine; the first round is
    not counted.
    """
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for work, times in zip(works, taken, strict=True):
            started = time.monotonic()
            work()
            times.append(time.monotonic() - started)
    return [statistics.median(times[1:]) for times in taken]


def machine() -> None:
    """Print what the numbers were measured on."""
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; medians", flush=True)


def note_failure(what: str, code: int, output: str) -> None:
    """Say that a run which is measured failed: on a busy machine a host may miss the time limit of a check."""
    if code:
        print(f"note: {what} ended with exit code {code}; its last lines:\n{output[-2000:]}", flush=True)


def line(what: str, measured: str, promised: str = "") -> None:
    """Print one number beside what is promised."""
    print(f"{what:62} {measured:>20}   {promised}", flush=True)
