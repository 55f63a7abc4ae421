"""``lago-acceptance COMMAND``: finds the command and runs it."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence

from lago_acceptance.cli import Parser, guarded, print_versions
from lago_acceptance.cli.commands import COMMANDS, in_groups
from lago_acceptance.core.verdicts import UsageError

EPILOG = """
lago-acceptance COMMAND --help lists the options of a command.

exit codes:
  0 accepted               4 wrong options or files
  1 not accepted           5 nothing was checked
  2 interrupted            6 the target could not be reached or brought up
  3 internal error"""


def main(arguments: Sequence[str] | None = None) -> int:
    """``lago-acceptance``; returns the exit code."""
    return guarded("lago-acceptance", _run, sys.argv[1:] if arguments is None else arguments)


def parser() -> Parser:
    """The parser of what comes before the command's own arguments."""
    made = Parser(
        prog="lago-acceptance",
        usage="lago-acceptance COMMAND ...",
        description="Checks whether a Lago deployment really bills.",
        epilog=f"{in_groups()}\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="store_true", help="print the versions in use")
    made.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    made.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return made


def _run(arguments: Sequence[str]) -> int:
    given = parser().parse_args(arguments)
    if given.version:
        return print_versions()
    if given.command is None:
        raise UsageError(f"no command given: use one of {', '.join(COMMANDS)}; see lago-acceptance --help")
    if given.command not in COMMANDS:
        similar = difflib.get_close_matches(given.command, COMMANDS, n=1)
        advice = f"did you mean {similar[0]}?" if similar else f"use one of {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {given.command!r}; {advice}")
    return COMMANDS[given.command].run(given.arguments)
