"""The history of all hosts: what runs saw, since when a state lasts, and the last looks and alarms."""

from __future__ import annotations

import itertools
import math
import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from lago_acceptance.core.measurements import worst
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact
from lago_acceptance.history.database import NAME, Database, Unusable
from lago_acceptance.reports.summary import Check, PastRun, Summary, unix
from lago_acceptance.reports.verdict import BILLING, BILLS, DOES_NOT_BILL, NOT_KNOWN, WITH_FAULTS

__all__ = ("FLAPS", "JUDGED", "NAME", "WEEK", "History", "LastAlarm", "Look", "Standing", "Unusable")
T = TypeVar("T")
WEEK = 7 * 86400.0
# Of how many runs changes are counted, and how many of them are too many.
COUNTED, FLAPS = 10, 4
_SEVERITY = (BILLS, WITH_FAULTS, DOES_NOT_BILL)
_YEAR_10000 = 253402300800
_WAIVERS = "waivers::"
# The exit codes of runs that have judged.
JUDGED = (0, 1)
# Runs that say nothing about the deployment: interrupted ones, and those with wrong options.
_NOT_RECORDED = (2, 4)


class Standing(msgspec.Struct, frozen=True):
    """What earlier runs say about the present state.

    ``since`` is Unix time of the first run with the present billing word; runs with another word end a state, and those that
    could not judge don't. None in the first run. ``changed``: the run before had another billing word, or other errors.
    ``changes`` counts how often the word changed within the last ten runs. ``before`` is the run that this one is compared
    with: the last that has judged. ``left_out``: this run has left out checks that were red in that one, so that it does not
    show whether its errors are gone.
    """

    since: float | None
    changed: bool
    changes: int
    before: PastRun | None
    left_out: bool = False


class Look(msgspec.Struct, frozen=True):
    """What the next run against a host compares with. ``observed_at`` is the host's clock (Unix time) when its dead jobs were
    read, ``waived`` the check in which each waiver was used.
    """

    observed_at: float | None = None
    waived: dict[str, str] = {}


class LastAlarm(msgspec.Struct, frozen=True):
    """The last alarm about a host: when it was ``sent`` (Unix time), and of which state and ``run``."""

    sent: float
    billing: str
    cause: str
    run: str


class _Row(msgspec.Struct, frozen=True):
    billing: str
    since: float
    red: tuple[str, ...]
    past: PastRun


class _Place(msgspec.Struct, frozen=True):
    """Where a run belongs: ``since`` as it is stored, and whether later runs are compared with it: it ``counts``."""

    standing: Standing
    since: float
    counts: bool


class History:
    """The file of earlier runs. Each method is one transaction, and raises Unusable where the file can't be used.

    ``keep`` is how many runs of a host are kept. ``notes`` are sentences on what was done to a damaged file. Runs are in the
    order in which they were added, whatever this machine's clock says.
    """

    def __init__(self, path: Path, keep: int = 1000):
        self._database, self._keep = Database(path), keep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._database.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the file that its owner should know."""
        return tuple(self._database.notes)

    def standing(self, summary: Summary) -> Standing:
        """What earlier runs say about a run that is not added yet."""
        return self._database.run(lambda connection: _placed(connection, summary).standing)

    def add(self, summary: Summary, look: Look | None = None) -> None:
        """Record a run. One that was interrupted or had wrong options is not recorded."""
        if summary.exit_code not in _NOT_RECORDED:
            self._database.run(lambda connection: self._add(connection, summary, look), writes=True)

    def forget(self, key: str, run: str) -> None:
        """Take a run of a host out, if it is one of the last: it was repeated at once, and the other one counts."""
        self._database.run(lambda connection: _forget(connection, _clean(key), _clean(run)), writes=True)

    def runs(self, key: str, at_most: int = 90) -> tuple[PastRun, ...]:
        """The last runs of a host, the oldest first."""
        rows = self._read(
            "SELECT past FROM runs WHERE key = ? ORDER BY id DESC LIMIT ?", _clean(key), at_most
        )
        return tuple(reversed([past for (text,) in rows if (past := _past(text))]))

    def keys(self) -> tuple[str, ...]:
        """The hosts of which runs are kept, in the order of the alphabet."""
        return tuple(key for (key,) in self._read("SELECT DISTINCT key FROM runs ORDER BY key"))

    def last_look(self, key: str, scheduled: bool | None = None, until: float = math.inf) -> Look:
        """The last look at a host; only of runs that a timer has started, or has not, where ``scheduled`` says so.

        One that was later than ``until`` by the host's clock does not count: that clock was put back since.
        """
        kind = () if scheduled is None else (int(scheduled),)
        of = f"FROM runs WHERE key = ? {'AND scheduled = ?' if kind else ''}"
        observed = self._read(
            f"SELECT observed_at {of} AND observed_at <= ? ORDER BY id DESC LIMIT 1",
            _clean(key),
            *kind,
            until if math.isfinite(until) else 1e300,
        )
        waived = self._read(
            f"SELECT waived {of} AND waived IS NOT NULL ORDER BY id DESC LIMIT 1", _clean(key), *kind
        )
        return Look(
            _time(observed[0][0]) if observed else None,
            (_decoded(waived[0][0], dict[str, str]) if waived else None) or {},
        )

    def last_success(self, key: str) -> float | None:
        """When the last accepted run of a host ended (Unix time); None where none was accepted."""
        rows = self._read("SELECT succeeded FROM hosts WHERE key = ?", _clean(key))
        return _time(rows[0][0]) if rows else None

    def last_alarm(self, key: str) -> LastAlarm | None:
        """The last alarm that was sent about a host."""
        rows = self._read("SELECT sent, billing, cause, run FROM alarms WHERE key = ?", _clean(key))
        if not rows or (sent := _time(rows[0][0])) is None:
            return None
        return LastAlarm(sent, *map(str, rows[0][1:]))

    def alarmed(self, key: str, alarm: LastAlarm) -> None:
        """Remember that an alarm was sent."""
        values = (_clean(key), alarm.sent, *map(_clean, (alarm.billing, alarm.cause, alarm.run)))
        self._database.run(
            lambda connection: connection.execute("REPLACE INTO alarms VALUES (?, ?, ?, ?, ?)", values),
            writes=True,
        )

    def _read(self, query: str, *values: object) -> list[Any]:
        return self._database.run(lambda connection: connection.execute(query, values).fetchall())

    def _add(self, connection: sqlite3.Connection, summary: Summary, look: Look | None) -> None:
        key, past, place = _clean(summary.key), past_run(summary), _placed(connection, summary)
        connection.execute(
            "INSERT INTO runs (key, scheduled, billing, since, counts, red, observed_at, waived, past) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                past.scheduled,
                past.billing,
                place.since,
                place.counts,
                _encoded(_red(summary)),
                look.observed_at if look else None,
                _encoded({_clean(waiver): _clean(check) for waiver, check in look.waived.items()})
                if look
                else None,
                _encoded(past),
            ),
        )
        succeeded = past.started + past.seconds if past.exit_code == 0 else None
        connection.execute(
            "INSERT INTO hosts VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET succeeded = coalesce(excluded.succeeded, succeeded)",
            (key, past.started, succeeded),
        )
        connection.execute(
            "DELETE FROM runs WHERE key = ?1 AND id <= "
            "(SELECT id FROM runs WHERE key = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (key, self._keep),
        )


def past_run(summary: Summary) -> PastRun:
    """What the history keeps of a run."""
    began = unix(summary.started)
    return PastRun(
        run=_clean(summary.run),
        started=time.time() if began is None else began,
        seconds=summary.seconds,
        billing=_clean(summary.billing),
        exit_code=summary.exit_code,
        cause=_clean(summary.causes[0].finding.id) if summary.causes else "",
        phases={phase: _word(summary.counts(phase)) for phase in summary.phases},
        measurements={
            name: value for name, value in worst(summary.measurements).items() if math.isfinite(value)
        },
        scheduled=summary.scheduled,
        errors=tuple(sorted({_clean(cause.finding.id) for cause in summary.causes})),
    )


def _forget(connection: sqlite3.Connection, key: str, run: str) -> None:
    rows = connection.execute(
        "SELECT id, past FROM runs WHERE key = ? ORDER BY id DESC LIMIT ?", (key, COUNTED)
    )
    found = [id for id, text in rows.fetchall() if (past := _past(text)) and past.run == run]
    connection.executemany("DELETE FROM runs WHERE id = ?", [(id,) for id in found])


def _word(counts: dict[str, int]) -> str:
    """One word for how a phase ended."""
    if counts["failed"] or counts["crashed"]:
        return "failed"
    if counts["blocked"]:
        return "blocked"
    return "passed" if counts["passed"] or counts["waived"] else "unknown"


def _placed(connection: sqlite3.Connection, summary: Summary) -> _Place:
    key, now = _clean(summary.key), past_run(summary)
    known, judged = now.billing != NOT_KNOWN, now.exit_code in JUDGED
    latest, whole = _rows(connection, key, "", 1), _rows(connection, key, "AND counts", 1)
    verdicts = _rows(connection, key, f"AND counts AND billing != '{NOT_KNOWN}'", COUNTED - 1)
    left_out = judged and any(_leaves_out(summary, now, row) for row in whole)
    counts = judged and not (left_out and not _is_worse(now, verdicts))
    # A verdict follows upon the last verdict, its absence upon any run.
    compared = verdicts[:1] if known else latest
    same = any(row.billing == now.billing for row in compared)
    since = compared[0].since if same else now.started
    telling = counts or not known
    before = (whole or latest)[0].past if latest else None
    changed = before is not None and (
        (telling and not same) or (judged and _other_errors(now, before, left_out))
    )
    shown = _within(connection, key, since, now.started) if latest and (same or telling) else None
    words = [now.billing] * (counts and known) + [row.billing for row in verdicts]
    changes = sum(one != other for one, other in itertools.pairwise(words))
    return _Place(Standing(shown, changed, changes, before, left_out), since, counts)


def _is_worse(now: PastRun, verdicts: list[_Row]) -> bool:
    return any(
        now.billing in _SEVERITY and _SEVERITY.index(now.billing) > _SEVERITY.index(row.billing)
        for row in verdicts[:1]
    )


def _other_errors(now: PastRun, before: PastRun, left_out: bool) -> bool:
    new, gone = set(now.errors) - set(before.errors), set(before.errors) - set(now.errors)
    return bool(new or (gone and not left_out))


def _leaves_out(summary: Summary, now: PastRun, judged: _Row) -> bool:
    """Whether a run had no part in checks that were red a short time ago, and so does not end that state.

    Later it does: somebody may have given up those checks.
    """
    if abs(now.started - judged.past.started) >= WEEK:
        return False
    looked_at = {_name(check) for check in summary.checks}
    return not looked_at.issuperset(judged.red) and not set(map(_clean, looked_at)).issuperset(judged.red)


def _red(summary: Summary) -> list[str]:
    """The checks that were red. Waivers are judged together with any checks, and are none themselves."""
    red = {
        _name(check)
        for check in summary.checks
        if check.outcome == "failed" and not check.name.startswith(_WAIVERS)
    }
    return sorted(map(_clean, red))


def _name(check: Check) -> str:
    """A test's name without its parameters, which may differ from run to run."""
    return check.name.partition("[")[0]


def _within(connection: sqlite3.Connection, key: str, since: float, now: float) -> float:
    """A time that this machine's clock may have got wrong, between the first run and now."""
    [(first,)] = connection.execute("SELECT first FROM hosts WHERE key = ?", (key,)).fetchall()
    return min(max(since, float(first)), now)


def _rows(connection: sqlite3.Connection, key: str, which: str, at_most: int) -> list[_Row]:
    """The last runs of a host, the latest first."""
    found = connection.execute(
        f"SELECT billing, since, red, past FROM runs WHERE key = ? {which} ORDER BY id DESC LIMIT ?",
        (key, at_most),
    )
    return [
        _Row(billing, since, _decoded(red, tuple[str, ...]) or (), run)
        for billing, since, red, past in found
        if billing in BILLING and (run := _past(past))
    ]


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: object, kind: type[T]) -> T | None:
    """What a row holds; None where it is not what this suite writes: a file on a host may hold anything."""
    try:
        return msgspec.json.decode(text, type=kind) if isinstance(text, str) else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _past(text: object) -> PastRun | None:
    past = _decoded(text, PastRun)
    return past if past and 0 <= past.started < _YEAR_10000 else None


def _time(value: object) -> float | None:
    """Unix time from a file that may hold anything."""
    return float(value) if isinstance(value, int | float) and 0 <= value < _YEAR_10000 else None


def _clean(text: str) -> str:
    return one_line(redact(text))
