"""``lago-acceptance merge DIR...``: one result of runs that were made elsewhere, such as jobs of a matrix."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lago_acceptance.cli import Parser, many, path, text
from lago_acceptance.core import resources, settings
from lago_acceptance.core.exit_codes import UNREACHABLE
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet import inventory, merge, remembered
from lago_acceptance.fleet.target import checked
from lago_acceptance.reports.summary import NotReadable, Summary, unix

# Seconds by which the clocks of two machines may differ.
CLOCKS_APART = 3600.0
# Hours of a hundred years.
LONGEST = 876_000.0


def run(arguments: Sequence[str]) -> int:
    """One command line of it."""
    return many.as_plugin(_run, arguments)


def _run(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    many.require_inventory(given)
    for folder in given.folders:
        if not os.path.isdir(folder):
            raise UsageError(
                f"{folder} is {'not a folder' if os.path.exists(folder) else 'not there'}; name folders of reports"
            )
    keep = settings.load(given.settings).reports.history
    reports: Path = given.reports.absolute()
    summaries, problems = _summaries(given.folders, reports / merge.SUMMARY)
    if given.inventory:
        seen = {each.key for each in summaries}
        expected = checked(inventory.read(given.inventory, given.limit or ""))
        names = [
            each.name if each.project else f"{each.name} {given.project or ''}".strip() for each in expected
        ]
        problems += [f"{name} has no summary" for name in names if name not in seen]
    if given.max_age is not None:
        problems += [said for each in summaries if (said := _outdated(each, given.max_age))]
    if not summaries:
        problems.append(f"no summary of a run is in {', '.join(map(str, given.folders))}")
    history = reports / merge.HISTORY
    warnings = remembered.add(summaries, history, keep)
    known = remembered.of(summaries, history)
    warnings += known.problems
    if summaries:
        warnings += merge.write(reports, merge.fleet(summaries), known.past)
    say = many.aside if given.nagios else many.say
    for each in summaries:
        say(f"{each.key}: {each.verdict}")
    for problem in problems:
        say(f"no verdict: {problem}")
    many.warn(list(dict.fromkeys(warnings)))
    code = merge.worst([*(each.exit_code for each in summaries), *(UNREACHABLE for _ in problems)])
    return many.publish(given, summaries, history, code, problems)


def _outdated(summary: Summary, hours: float) -> str:
    """Why a look is too old to be a verdict, "" where it is not."""
    age = time.time() - (unix(summary.started) or 0)
    if age > hours * 3600:
        return f"{summary.key} was last checked on {summary.started or 'an unknown day'}"
    if age < -CLOCKS_APART:
        # It would stay new until this machine's clock has caught up.
        return (
            f"{summary.key} was last checked on {summary.started} by a clock that is ahead of this machine's"
        )
    return ""


def _hours(word: str) -> float:
    try:
        hours = float(word)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= LONGEST:
        raise UsageError(f"--max-age {word} is not a number of hours; give one such as 12")
    return hours


def _summaries(folders: Sequence[Path], own: Path) -> tuple[list[Summary], list[str]]:
    """The newest summary of each host in these folders, by its key, and what could not be read."""
    found: dict[str, Summary] = {}
    problems: list[str] = []
    for file in _files(folders, own, problems):
        try:
            for each in merge.read_all(file):
                other = found.setdefault(each.key, each)
                if (unix(each.started) or 0) > (unix(other.started) or 0):
                    found[each.key] = each
        except NotReadable as error:
            problems.append(one_line(str(error)))
    return [found[key] for key in sorted(found)], problems


def _files(folders: Sequence[Path], own: Path, problems: list[str]) -> Iterator[Path]:
    """All summaries below these folders, each once, without that of an earlier merge. ``problems`` gets what can't be seen."""
    seen = {os.path.realpath(own)}
    for folder in folders:
        closed: list[OSError] = []
        for place, within, names in sorted(os.walk(folder, onerror=closed.append)):
            file = Path(place, merge.SUMMARY)
            # Of a loop of links the name itself.
            if file.name in (*within, *names) and (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                yield file
        problems += [f"{error.filename} can't be read: {error.strerror}" for error in closed]


def _parser() -> Parser:
    parser = Parser(
        prog="lago-acceptance merge",
        description="Merges the reports of runs made elsewhere into one page, one summary.json and one exit code.",
        epilog="The exit code is that of the worst run, or 6 if a host has no verdict.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("folders", nargs="+", type=path, metavar="DIR", help="a reports folder, or a folder of several")
    add("--inventory", type=path, metavar="FILE", help="the hosts that must each have a summary")
    add("--limit", type=text, metavar="GROUP", help="only this group of the inventory")
    add("--project", type=text, help="the Compose project of hosts whose inventory entry names none")
    add("--max-age", type=_hours, metavar="HOURS", help="don't accept a run that is older as a verdict")
    add("--reports", type=path, default=resources.REPORTS, metavar="FOLDER", help="default: reports/")
    add("--metrics", type=path, metavar="FILE", help="write metrics for node_exporter's textfile collector")
    add(
        "--settings",
        type=path,
        metavar="FILE",
        help="the limits for the Nagios line",
    )
    add("--nagios", action="store_true", help="print one line, and exit like a Nagios plugin")
    return parser
