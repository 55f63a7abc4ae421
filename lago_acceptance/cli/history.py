"""``lago-acceptance history``: the runs that the history keeps, as a table."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from lago_acceptance.cli import Parser, path
from lago_acceptance.core import resources
from lago_acceptance.core.exit_codes import ACCEPTED
from lago_acceptance.core.moments import minute
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.verdicts import UsageError

if TYPE_CHECKING:
    from lago_acceptance.reports.summary import PastRun

HEAD = ("began (UTC)", "billing", "exit", "seconds", "begun by", "errors")
LONGEST = 60


def run(given: list[str]) -> int:
    """Print the runs that the command line asks for; the exit code."""
    from lago_acceptance.history.store import NAME, History

    asked = _parser().parse_args(given)
    file = asked.history or resources.REPORTS / NAME
    if not os.path.exists(file):
        raise UsageError(f"there is no history in {file} yet; give another file with --history")
    with History(file) as history:
        try:
            keys = history.keys()
            chosen = _chosen(keys, asked.host)
            if not keys:
                raise UsageError(f"the history {file} has no run yet; give another file with --history")
            if not chosen:
                raise UsageError(
                    f"the history {file} has no run against {asked.host}; it has {', '.join(map(one_line, keys))}"
                )
            every = asked.host or len(chosen) == 1
            for key in chosen:
                print(one_line(key))
                print("\n".join(table(history.runs(key, asked.last if every else 1))))
        finally:
            for note in history.notes:
                print(one_line(note), file=sys.stderr)
    return ACCEPTED


def table(runs: tuple[PastRun, ...]) -> list[str]:
    """The lines of a table with a row for each run."""
    rows = [HEAD, *map(_row, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(run: PastRun) -> tuple[str, ...]:
    errors = one_line(", ".join(run.errors))
    return (
        minute(run.started).removesuffix(" UTC"),
        one_line(run.billing),
        str(run.exit_code),
        f"{run.seconds:.0f}",
        "timer" if run.scheduled else "hand",
        errors if len(errors) <= LONGEST else f"{errors[:LONGEST]}…",
    )


def _chosen(keys: tuple[str, ...], host: str) -> list[str]:
    """The keys that a host's name stands for: with or without its user, and any project there."""
    name = host.removeprefix("ssh://")
    return [key for key in keys if not name or f"{key} ".startswith(f"{name} ") or f"@{name} " in f"{key} "]


def _parser() -> Parser:
    parser = Parser(
        prog="lago-acceptance history",
        description="Prints the results of earlier runs: the last runs of one host, or else the last run of each host.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "host",
        nargs="?",
        default="",
        metavar="HOST",
        help="ssh://root@host or its name; 'this machine' for stacks",
    )
    add(
        "--history",
        type=path,
        metavar="FILE",
        help=f"the history (default: {resources.REPORTS}/history.sqlite3)",
    )
    add("--last", type=_number, default=20, metavar="N", help="how many runs (default: 20)")
    return parser


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 10**6:
        raise UsageError(f"--last {text} is not a number of runs; give one from 1 to 1000000")
    return int(text)
