"""What a rehearsed upgrade has shown, as data (--report, --json) and as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.deploy import answers_compared
from lago_acceptance.deploy.answers_compared import Compared
from lago_acceptance.deploy.billing_round import Round
from lago_acceptance.deploy.filling import Filled
from lago_acceptance.deploy.totals import Amount, Totals
from lago_acceptance.lago.upgrades import Leg

# What a lock keeps others from, by its mode.
_BLOCKS = {
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
}
# Said even where nothing has changed.
_MOST_WANTED = ("customers", "subscriptions", "invoices")


class Lock(msgspec.Struct, frozen=True):
    """A lock that a migration has held on a table for longer than a second."""

    table: str
    mode: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.table}: {self.mode} for {self.seconds:.1f} s, which blocks {_BLOCKS.get(self.mode, 'others')}"


def described_leg(leg: Leg) -> str:
    """Its release, and what is filled in there."""
    return f"{leg.tag} ({leg.stop.data})" if leg.stop else leg.tag


def locks(lines: Iterable[str]) -> tuple[Lock, ...]:
    """The locks that ``ask_locks`` of shell/walk.part.sh prints."""
    rows = [line.split("\t") for line in lines if line.count("\t") == 2]
    return tuple(Lock(table, mode, float(seconds)) for table, mode, seconds in rows)


class LegReport(msgspec.Struct, kw_only=True):
    """One leg: how many migrations have run in how many seconds, and what was filled in."""

    tag: str
    image: str
    migrations: int = 0
    migrate_seconds: float = 0.0
    locks: tuple[Lock, ...] = ()
    fill_seconds: float = 0.0
    rows: int = 0
    filled: tuple[Filled, ...] = ()


class Report(msgspec.Struct, kw_only=True):
    """All of it. ``problems`` are the reasons not to accept the upgrade, the cause first; ``explained`` are differences that are
    meant. Seconds are of this machine.
    """

    dump: str
    had: str = ""
    to: str = ""
    accepted: bool = False
    problems: list[str] = []
    restore_seconds: float = 0.0
    seconds: float = 0.0
    legs: list[LegReport] = []
    before: Totals = Totals()
    after: Totals = Totals()
    explained: list[str] = []
    sampled_customers: int = 0
    answers: Compared = Compared()
    billing: Round = Round()
    tried_outside: list[str] = []
    webhooks_made: int = 0
    warnings: list[str] = []
    not_judged: list[str] = []

    def encoded(self) -> bytes:
        """As JSON, without secrets."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
        return redact(text).encode() + b"\n"


def lines(report: Report) -> Iterator[str]:
    """The summary for a reader, without the problems."""
    if not report.legs:
        return
    yield f"restored in {report.restore_seconds:.1f} s"
    for leg in report.legs:
        migrated = (
            f"{leg.migrations} migrations in {leg.migrate_seconds:.1f} s"
            if leg.migrations
            else "no migration"
        )
        filled = f", {leg.rows} rows filled in within {leg.fill_seconds:.1f} s" if leg.fill_seconds else ""
        yield f"{leg.tag}: {migrated}{filled}"
        for lock in leg.locks:
            yield f"  held longer than a second: {lock}"
    if not any(leg.locks for leg in report.legs):
        yield "no migration held a lock that blocks others for longer than a second"
    if report.after.rows:
        yield from _amounts(report)
    yield from (f"as expected: {each}" for each in report.explained)
    yield from _answers(report)
    if report.tried_outside:
        yield (
            f"from a container of the rehearsal {len(report.tried_outside)} addresses outside were tried (internet, this host, production): "
            "none could be reached"
        )
    if report.billing.done:
        yield f"billed in an organization of its own: {', '.join(report.billing.done)}"
        yield f"webhooks that were made meanwhile: {report.webhooks_made}; none can leave the rehearsal's network"


def _amounts(report: Report) -> Iterator[str]:
    unchanged = []
    for table, had in report.before.rows.items():
        number = report.after.rows.get(table, 0)
        if table in _MOST_WANTED or had != number:
            yield f"{table}: {had} before, {number} after"
        elif number:
            unchanged.append(f"{number} {table}")
    if unchanged:
        yield f"as before: {', '.join(unchanged)}"
    before = {(each.what, each.currency): each for each in report.before.amounts}
    for each in report.after.amounts:
        was = before.get((each.what, each.currency), Amount(each.what, each.currency, 0, 0))
        same = "the same as before" if was == each else f"{was.number} of {was.cents} before"
        yield f"{each.what} in {each.currency}: {each.number} of {each.cents} together, {same} (smallest unit)"


def _answers(report: Report) -> Iterator[str]:
    found = report.answers
    if not report.sampled_customers or not (found.same or found.differences):
        return
    yield f"answers about {report.sampled_customers} old customers: {found.same} values are the same"
    for how, said in (
        (answers_compared.ADDED, "fields that are new"),
        (answers_compared.REMOVED, "fields that are gone"),
        (answers_compared.CHANGED, "values that have changed"),
        (answers_compared.MISSING, "objects that are missing"),
    ):
        if differences := found.of(how):
            yield f"{said}: {'; '.join(map(str, differences))}"
