"""Faults of a running host that no compose file shows, as data: how each is made, what must name it, and the table of all.

A fault is made on a healthy host and taken back afterwards. Its cause must be the first red of the whole smoke run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from tests.support import suite_run
from tests.support.live.lago import LiveLago

Making = Callable[[LiveLago], AbstractContextManager[object]]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. ``id`` is the finding that names it, ``said`` what its text must hold, so that it is the cause and not a
    guess; ``also`` are reds of what is broken on its own beside it. ``slow``: it is left to exhaustive runs and the benchmark.
    """

    name: str
    made: Making
    id: str
    said: tuple[str, ...] = ()
    also: frozenset[str] = frozenset()
    warning: bool = False
    slow: bool = False


class Judged(msgspec.Struct, frozen=True):
    """How the suite judged a host with a fault: the first finding, whether it names the cause, and the other reds."""

    fault: Fault
    found_by: str
    names_cause: bool
    others: frozenset[str]
    seconds: float
    output: str

    @property
    def row(self) -> str:
        """The row of the table."""
        cause = "yes" if self.names_cause else "NO"
        others = ", ".join(sorted(self.others)) or "-"
        return f"{self.fault.name:44} {self.found_by:32} {cause:5} {others:34} {self.seconds:5.1f}"


HEAD = f"{'fault':44} {'found by':32} {'cause':5} {'other reds':34} {'s':>5}"


def judge(fault: Fault, lago: LiveLago, reports: Path) -> Judged:
    """Make a fault, let a smoke run judge the host, and take the fault back."""
    with fault.made(lago):
        result = suite_run.run(reports, "-m", "smoke", *lago.options)
    wanted = "warning" if fault.warning else "error"
    found = [each for each in _findings(result) if each.get("severity", "error") == wanted]
    first = found[0] if found else {"id": "-"}
    if fault.warning:
        first = next((each for each in found if each["id"] == fault.id), first)
    text = " ".join(first.get(part, "") for part in ("service", "problem", "impact", "fix"))
    right = first["id"] == fault.id and all(word in text for word in fault.said)
    return Judged(
        fault, first["id"], right, frozenset(result.red() - {fault.id}), result.seconds, result.output
    )


def _findings(result: suite_run.Result) -> Iterable[dict]:
    for check in result.summary.get("checks", ()):
        yield from check.get("findings", ())
