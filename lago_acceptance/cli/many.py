"""What `live` and `nightly` have in common: the hosts that they are given, and what becomes of the verdicts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lago_acceptance.cli import Parser, path, text
from lago_acceptance.core import resources, settings
from lago_acceptance.core.options import check_history_on_host
from lago_acceptance.core.printable import printable
from lago_acceptance.core.report_files import NotWritten
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.fleet import remembered, run
from lago_acceptance.fleet.target import Target, checked, part_of
from lago_acceptance.reports.summary import Summary

# A run against one host, as a process of its own.
CHILD = ("lago_acceptance", "live")


def parser(command: str, description: str) -> Parser:
    """The parser of a command, with the options that both have; everything else is the suite's and pytest's."""
    made = Parser(
        prog=f"lago-acceptance {command}",
        usage=f"lago-acceptance {command} HOST... [OPTION...]",
        description=description,
        epilog="All other options are those of the suite and of pytest: lago-acceptance smoke --help",
        allow_abbrev=False,
        add_help=False,
    )
    add = made.add_argument
    add("--hosts", type=text, metavar="SSH", help="ssh://user@host, several separated by commas")
    add("--inventory", type=path, metavar="FILE", help="hosts from an Ansible inventory, or a TOML list")
    add("--limit", type=text, metavar="GROUP", help="only this group of the inventory")
    add(
        "--part",
        type=text,
        metavar="I/N",
        help="every Nth of the hosts, starting with number I (from 0)",
    )
    add("--nagios", action="store_true", help="print one line, and exit like a Nagios plugin")
    add("--metrics", type=path, metavar="FILE", help="write metrics for node_exporter's textfile collector")
    add(
        "--host-deadline",
        type=float,
        default=run.HOST_SECONDS,
        metavar="SECONDS",
        help="for each host (default: 600)",
    )
    add("--reports", type=path, default=resources.REPORTS, metavar="FOLDER", help="default: reports/")
    add("--history", type=path, metavar="FILE", help="default: history.sqlite3 in the reports folder")
    add("--history-on-host", type=text, help=argparse.SUPPRESS)
    add("--ssh-config", type=path, help=argparse.SUPPRESS)
    add("--project", type=text, help=argparse.SUPPRESS)
    add("--settings", type=path, help=argparse.SUPPRESS)
    return made


def parse(made: Parser, arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What these options say, with ``targets``, and the words that are left. The hosts come first."""
    words = list(arguments)
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    given, rest = made.parse_known_args(words[first:])
    for name in ("hosts", "limit", "part", "history_on_host", "project"):
        setattr(given, name, getattr(given, name) or "")
    require_inventory(given)
    named = [*words[:first], *given.hosts.split(",")]
    targets = [Target(address=name.strip()) for name in named if name.strip()]
    if given.inventory:
        from lago_acceptance.fleet import inventory

        targets += inventory.read(given.inventory, given.limit)
    given.targets = checked(targets)
    if given.part:
        given.targets = part_of(given.targets, given.part)
    if given.history_on_host:
        check_history_on_host(given.history_on_host, given.history)
    given.reports = given.reports.absolute()
    if given.metrics and not os.path.isdir(given.metrics.absolute().parent):
        raise UsageError(f"--metrics {given.metrics}: its folder does not exist")
    return given, rest


def require_inventory(given: argparse.Namespace) -> None:
    """UsageError where a group is asked for, and no inventory that has it."""
    if given.limit and not given.inventory:
        raise UsageError("--limit needs --inventory: it names a group in that file")


def look(given: argparse.Namespace, arguments: Sequence[str], scheduled: bool = False) -> run.Look:
    """How these hosts are looked at."""
    common = [
        *(["--settings", str(given.settings)] if given.settings else []),
        *(["--project", given.project] if given.project else []),
    ]
    return run.Look(
        reports=given.reports,
        arguments=[*common, *arguments],
        seconds=given.host_deadline,
        history=given.history and given.history.absolute(),
        history_on_host=given.history_on_host,
        ssh_config=given.ssh_config,
        project=given.project,
        scheduled=scheduled,
        keep=settings.load(given.settings).reports.history,
        everything=not scheduled,
        command=CHILD,
    )


def as_plugin(run: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run a command; where it is a plugin of Nagios, also what keeps it from a verdict is a line and a plugin's code."""
    if "--nagios" not in arguments:
        return run(arguments)
    from lago_acceptance.reports import nagios

    try:
        return run(arguments)
    except (UsageError, Unreachable) as error:
        line, status = nagios.without_verdict(str(error))
        say(line)
        return status


def say(said: str) -> None:
    """Print a text for people, now."""
    print(printable(redact(said)), flush=True)


def aside(said: str) -> None:
    """The same where standard output is a machine's."""
    print(printable(redact(said)), file=sys.stderr, flush=True)


def warn(warnings: Sequence[str]) -> None:
    """Say what went wrong beside the verdict, which counts all the same."""
    for each in warnings:
        aside(f"warning: {each}")


def publish(
    given: argparse.Namespace,
    summaries: Sequence[Summary],
    history: Path,
    code: int,
    unseen: Sequence[str] = (),
) -> int:
    """Write metrics and print Nagios' line where they are wanted; the exit code. ``unseen``: see ``nagios.line``."""
    if given.metrics:
        from lago_acceptance.reports import metrics

        known = remembered.of(summaries, history)
        warn(known.problems)
        try:
            metrics.write(given.metrics, summaries, known.success)
        except NotWritten as error:
            warn([str(error)])
    if not given.nagios:
        return code
    from lago_acceptance.reports import nagios

    line, status = nagios.line(summaries, settings.load(given.settings), unseen)
    say(line)
    return status
