"""``lago-acceptance nightly HOST...``: the look of every night, with alarms, a heartbeat and metrics where configured."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lago_acceptance.cli import many, path
from lago_acceptance.core.exit_codes import INTERNAL_ERROR, INTERRUPTED
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet import night, remembered
from lago_acceptance.fleet import run as fleet
from lago_acceptance.fleet.target import Target
from lago_acceptance.reports.summary import Summary

if TYPE_CHECKING:
    from lago_acceptance.alarms.settings import AlarmSettings

CONFIRM_SECONDS = 60.0
MARKS, WRITING = "smoke or nightly", "smoke or nightly or writes"


def run(arguments: Sequence[str]) -> int:
    """One command line of it."""
    return many.as_plugin(_run, arguments)


def _run(arguments: Sequence[str]) -> int:
    parser = many.parser("nightly", "Runs the nightly checks of deployments, and sends alarms if configured.")
    add = parser.add_argument
    add("--alarms", type=path, metavar="FILE", help="where alarms go, and the heartbeat's URL")
    add(
        "--confirm-seconds",
        type=float,
        default=CONFIRM_SECONDS,
        metavar="SECONDS",
        help="how long to wait before checking again a host whose errors may have cleared by then (default: 60; 0: never)",
    )
    if {"-h", "--help"}.intersection(arguments):
        parser.print_help()
        parser.exit()
    given, rest = many.parse(parser, arguments)
    if not given.targets:
        raise UsageError("no host given: lago-acceptance nightly ssh://root@HOST [OPTION...]")
    if not 0 <= given.confirm_seconds <= 3600:
        raise UsageError(f"--confirm-seconds {given.confirm_seconds:g} is not 0 to 3600 seconds")
    from lago_acceptance.alarms import settings

    alarms = settings.load(given.alarms)
    marks = WRITING if "--allow-writes" in rest else MARKS
    how = many.look(given, ["-m", marks, *rest, "--scheduled"], scheduled=True)
    with night.alone(given.reports):
        return _with_heartbeat(alarms, lambda: _night(given, how, alarms))


def _with_heartbeat(alarms: AlarmSettings | None, looking: Callable[[], tuple[int, int]]) -> int:
    """Look between the heartbeat's start and its end; the exit code of the command, which may be Nagios'."""
    from lago_acceptance.alarms import heartbeat

    many.warn(heartbeat.start(alarms))
    try:
        code, status = looking()
    except KeyboardInterrupt:
        many.warn(heartbeat.fail(alarms, INTERRUPTED))
        raise
    except Exception:
        many.warn(heartbeat.fail(alarms, INTERNAL_ERROR))
        raise
    many.warn(heartbeat.fail(alarms, code) if code else heartbeat.success(alarms))
    return status


def _night(given: argparse.Namespace, how: fleet.Look, alarms: AlarmSettings | None) -> tuple[int, int]:
    """The exit codes: of the worst host, and of the command."""
    write = many.aside if given.nagios else many.say
    if given.confirm_seconds:
        summaries = night.look_twice(given.targets, how, given.confirm_seconds, write)
    else:
        summaries = fleet.look(given.targets, how, write)
    code = fleet.finish(given.targets, summaries, how, write)
    if alarms is not None:
        many.warn(_raise_alarms(alarms, given.targets, summaries, how))
    return code, many.publish(given, summaries, how.history_file, code)


def _raise_alarms(
    alarms: AlarmSettings, targets: Sequence[Target], summaries: Sequence[Summary], how: fleet.Look
) -> list[str]:
    """Send the alarms that are due, and remember them; what went wrong, a sentence each."""
    from lago_acceptance.alarms import night as told
    from lago_acceptance.fleet import on_hosts
    from lago_acceptance.history.store import LastAlarm

    known = remembered.of(summaries, how.history_file)
    with on_hosts.reached(targets, summaries, how) as there:
        known = remembered.newest(known, there.known())
        report = told.report(alarms, summaries, known.alarms, time.time(), known.success)
        sent = {key: LastAlarm(*each) for key, each in report.sent.items()}
        kept = [*remembered.alarmed(sent, how.history_file), *there.alarmed(sent)]
    return list(dict.fromkeys([*known.problems, *report.warnings, *kept]))
