"""What the history knows of the hosts that were looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
