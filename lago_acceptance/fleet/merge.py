"""One result of many runs: one summary.json, one page, one exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from lago_acceptance import __version__
from lago_acceptance.core import report_files, run
from lago_acceptance.core.exit_codes import INTERNAL_ERROR
from lago_acceptance.reports.summary import (
    FORMAT,
    PastRun,
    Summary,
    content_of,
    decoded,
    iso,
    require_format,
    safe,
)

SUMMARY, PAGE, HISTORY = "summary.json", "index.html", "history.sqlite3"
# The exit code of several runs is that of the worst: a host without a verdict is worse than one without checks.
_WORST_FIRST = (3, 2, 4, 1, 6, 5, 0)


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """The runs against many hosts. ``started`` and ``ended`` are ISO 8601 in UTC, ``exit_code`` is that of the worst."""

    format: int = FORMAT
    started: str = ""
    ended: str = ""
    exit_code: int
    hosts: tuple[Summary, ...]


class _Head(msgspec.Struct, frozen=True):
    """What tells the result of many runs from that of one."""

    hosts: msgspec.Raw = msgspec.Raw()


def fleet(summaries: Iterable[Summary]) -> Fleet:
    """The result of all these runs."""
    hosts = tuple(summaries)
    return Fleet(
        started=min((each.started for each in hosts if each.started), default=""),
        ended=max((each.ended for each in hosts if each.ended), default=""),
        exit_code=worst(each.exit_code for each in hosts),
        hosts=hosts,
    )


def worst(codes: Iterable[int]) -> int:
    """The exit code of runs that ended with these. One that no run ends with is a fault of the suite."""
    seen = {code if code in _WORST_FIRST else INTERNAL_ERROR for code in codes}
    return next((code for code in _WORST_FIRST if code in seen), INTERNAL_ERROR)


def write(folder: Path, merged: Fleet, past: Mapping[str, Sequence[PastRun]]) -> list[str]:
    """Write summary.json and index.html into a folder. What could not be written is returned, a sentence each."""
    from lago_acceptance.page import render

    def as_json() -> None:
        report_files.make_folder(folder)
        content = msgspec.json.encode(safe(msgspec.to_builtins(merged)))
        report_files.write(folder / SUMMARY, msgspec.json.format(content, indent=1) + b"\n")

    def as_page() -> None:
        render.write(folder / PAGE, merged.hosts, past)

    problems = []
    for written in (as_json, as_page):
        try:
            written()
        except report_files.NotWritten as error:
            problems.append(str(error))
    return problems


def read_all(path: Path) -> tuple[Summary, ...]:
    """The summaries in a file: of one host, or of several. NotReadable where it is neither."""
    content = content_of(path)
    if not decoded(path, content, _Head).hosts:
        return (decoded(path, content, Summary),)
    hosts = decoded(path, content, Fleet).hosts
    for each in hosts:
        require_format(path, each.format)
    return hosts


def without_verdict(
    host: str, project: str, code: int, why: str, *, started: float, ended: float, scheduled: bool
) -> Summary:
    """The summary of a run that left none: it was killed, took too long, or could not begin."""
    return Summary(
        run=run.new_id(),
        version=__version__,
        target="live",
        host=host,
        project=project,
        scheduled=scheduled,
        started=iso(started),
        ended=iso(ended),
        seconds=round(ended - started, 2),
        verdict=why,
        exit_code=code,
        timings={},
        stand_ins=(),
        images={},
        notes=(),
        checks=(),
    )
