"""``lago-acceptance merge DIR...``: one result of runs that were made elsewhere, such as jobs of a matrix."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lago_acceptance.cli import Parser, many
from lago_acceptance.core import resources
from lago_acceptance.core.exit_codes import UNREACHABLE
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet import inventory, merge, remembered
from lago_acceptance.fleet.target import checked
from lago_acceptance.reports.summary import NotReadable, Summary, unix


def run(arguments: Sequence[str]) -> int:
    """One command line of it."""
    given = _parser().parse_args(arguments)
    for folder in given.folders:
        if not folder.is_dir():
            raise UsageError(
                f"{folder} is {'not a folder' if folder.exists() else 'not there'}; name folders of reports"
            )
    reports: Path = given.reports.absolute()
    summaries, problems = _summaries(given.folders, reports / merge.SUMMARY)
    if given.inventory:
        seen = {each.key for each in summaries}
        expected = checked(inventory.read(given.inventory, given.limit))
        problems += [f"{each.name} has no summary" for each in expected if each.name not in seen]
    if given.max_age is not None:
        oldest = time.time() - given.max_age * 3600
        problems += [
            f"{each.key} was last checked on {each.started or 'an unknown day'}"
            for each in summaries
            if (unix(each.started) or 0) < oldest
        ]
    if not summaries:
        problems.append(f"no summary of a run is in {', '.join(map(str, given.folders))}")
    history = reports / merge.HISTORY
    warnings = remembered.add(summaries, history)
    known = remembered.of(summaries, history)
    warnings += known.problems
    if summaries:
        warnings += merge.write(reports, merge.fleet(summaries), known.past)
    for each in summaries:
        many.say(f"{each.key}: {each.verdict}")
    for problem in problems:
        many.say(f"no verdict: {problem}")
    many.warn(list(dict.fromkeys(warnings)))
    code = merge.worst([*(each.exit_code for each in summaries), *(UNREACHABLE for _ in problems)])
    return many.publish(given, summaries, history, code)


def _summaries(folders: Sequence[Path], own: Path) -> tuple[list[Summary], list[str]]:
    """The newest summary of each host in these folders, by its key, and what could not be read."""
    found: dict[str, Summary] = {}
    problems = []
    for file in _files(folders, "summary.json", own):
        try:
            for each in merge.read_all(file):
                other = found.setdefault(each.key, each)
                if (unix(each.started) or 0) > (unix(other.started) or 0):
                    found[each.key] = each
        except NotReadable as error:
            problems.append(one_line(str(error)))
    return [found[key] for key in sorted(found)], problems


def _files(folders: Sequence[Path], name: str, own: Path) -> Iterator[Path]:
    """All files of a name below these folders, each once, without that of an earlier merge."""
    seen = {own.resolve()}
    for folder in folders:
        for file in sorted(folder.rglob(name)):
            if (real := file.resolve()) not in seen:
                seen.add(real)
                yield file


def _parser() -> Parser:
    parser = Parser(
        prog="lago-acceptance merge",
        description="Merges the reports of runs made elsewhere into one page, one summary.json and one exit code.",
        epilog="The exit code is that of the worst run, or 6 if a host has no verdict.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="a reports folder, or a folder of several")
    add("--inventory", type=Path, metavar="FILE", help="the hosts that must each have a summary")
    add("--limit", default="", metavar="GROUP", help="only this group of the inventory")
    add("--max-age", type=float, metavar="HOURS", help="don't accept a run that is older as a verdict")
    add("--reports", type=Path, default=resources.REPORTS, metavar="FOLDER", help="default: reports/")
    add("--metrics", type=Path, metavar="FILE", help="write metrics for node_exporter's textfile collector")
    add(
        "--settings",
        type=Path,
        default=resources.SETTINGS,
        metavar="FILE",
        help="the limits for the Nagios line",
    )
    add("--nagios", action="store_true", help="print one line, and exit like a Nagios plugin")
    return parser
