"""What the history knows of the hosts that were looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lago_acceptance.core import report_files
from lago_acceptance.reports.summary import PastRun, Summary

if TYPE_CHECKING:
    from lago_acceptance.history.store import LastAlarm


class Remembered(msgspec.Struct, frozen=True):
    """By each host's key: its last runs, the alarm that was sent last, and when (Unix time) it was accepted last.

    ``problems`` says what kept the history from being read, a sentence each.
    """

    past: dict[str, tuple[PastRun, ...]] = {}
    alarms: dict[str, LastAlarm | None] = {}
    success: dict[str, float] = {}
    problems: tuple[str, ...] = ()


def add(summaries: Sequence[Summary], file: Path, keep: int) -> list[str]:
    """Add the runs that a history does not know: of hosts without a verdict, and of other machines. What kept it from that.

    It keeps as many runs of each host as ``keep`` says.
    """
    from lago_acceptance.history.store import History, Unusable

    try:
        report_files.make_folder(file.parent)
        with History(file, keep) as history:
            known = {
                key: {past.run for past in history.runs(key)} for key in {each.key for each in summaries}
            }
            for each in summaries:
                if each.run not in known[each.key]:
                    history.add(each)
    except (Unusable, report_files.NotWritten) as error:
        return [str(error)]
    return []


def alarmed(sent: Mapping[str, LastAlarm], file: Path) -> list[str]:
    """Remember alarms that were sent, by the host's key. What kept it from that."""
    from lago_acceptance.history.store import History, Unusable

    try:
        with History(file) as history:
            for key, alarm in sent.items():
                history.alarmed(key, alarm)
    except Unusable as error:
        return [str(error)]
    return []


def newest(one: Remembered, other: Remembered) -> Remembered:
    """What two histories know of the same hosts: of alarms and of successes the last. The runs are those of the first."""
    alarms = dict(one.alarms)
    for key, alarm in other.alarms.items():
        before = alarms.get(key)
        if alarm and (before is None or before.sent < alarm.sent):
            alarms[key] = alarm
    success = {
        key: max(each.success.get(key, 0.0) for each in (one, other)) for key in one.success | other.success
    }
    return Remembered(one.past, alarms, success, (*one.problems, *other.problems))


def of(summaries: Iterable[Summary], file: Path) -> Remembered:
    """What a history knows of these hosts."""
    from lago_acceptance.history.store import History, Unusable

    keys = [each.key for each in summaries]
    try:
        with History(file) as history:
            success = {key: history.last_success(key) for key in keys}
            return Remembered(
                {key: history.runs(key) for key in keys},
                {key: history.last_alarm(key) for key in keys},
                {key: at for key, at in success.items() if at is not None},
            )
    except Unusable as error:
        return Remembered(problems=(str(error),))
