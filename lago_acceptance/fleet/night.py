"""A look of the night: a second look at what may be a moment's, and nobody else who looks meanwhile."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from lago_acceptance.core import report_files
from lago_acceptance.core.consequences import TIMING
from lago_acceptance.core.exit_codes import NOT_ACCEPTED, UNREACHABLE
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.fleet import run
from lago_acceptance.fleet.target import Target
from lago_acceptance.reports.summary import Summary

LOCK = "nightly.lock"


def look_twice(
    targets: Sequence[Target], how: run.Look, seconds: float, write: Callable[[str], None]
) -> tuple[Summary, ...]:
    """Look at each host, and after ``seconds`` again at those whose errors may have been a moment's.

    The second look counts, and its summary has a note of the first.
    """
    first = dict(zip(targets, run.look(targets, how, write), strict=True))
    again = [target for target, summary in first.items() if momentary(summary)]
    if not again:
        return tuple(first.values())
    write(f"===== checking again in {seconds:g} s, because everything that is wrong may have cleared by then")
    _wait(seconds)
    # Else it would be compared with the first, and say of what the night has changed that nothing has.
    how = msgspec.structs.replace(how, instead_of={target: first[target].run for target in again})
    second = dict(zip(again, run.look(again, how, write), strict=True))
    for target, summary in second.items():
        before = _in_words(first[target])
        note = f"the first look, {seconds:g} s before: {before}; this is the second look, which counts"
        second[target] = msgspec.structs.replace(summary, notes=(*summary.notes, note))
        write(f"{target.address}: first {before}, then {summary.verdict}")
    return tuple(second.get(target, first[target]) for target in targets)


def _in_words(summary: Summary) -> str:
    if summary.exit_code == UNREACHABLE:
        return "not reached"
    return f"not accepted ({', '.join(dict.fromkeys(cause.finding.id for cause in summary.causes))})"


def momentary(summary: Summary) -> bool:
    """Whether a host was not reached, or not accepted for such reasons alone as may be gone a minute later."""
    if summary.exit_code == UNREACHABLE:
        return True
    ids = {cause.finding.id for cause in summary.causes}
    return summary.exit_code == NOT_ACCEPTED and bool(ids) and ids <= TIMING


def _wait(seconds: float) -> None:
    at = time.monotonic() + seconds
    until(lambda: time.monotonic() >= at, seconds + 1)


@contextmanager
def alone(reports: Path) -> Iterator[None]:
    """Be the only one of its kind that reports into a folder. Unreachable where there is another."""
    file = report_files.make_folder(reports) / LOCK
    with report_files.writing(file):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, report_files.FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            raise Unreachable(
                f"another nightly run (process {holder or 'unknown'}) is writing to {reports}; let it end, or give this one "
                "another folder with --reports"
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
