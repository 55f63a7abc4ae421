"""What an upgrade takes: room on the disks, locks and time, by the sizes of the database and its tables."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.checks.upgrade import Aim, aim_of, answers
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import duration
from lago_acceptance.core.registry import Vantage
from lago_acceptance.core.roles import DB
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.facts.upgrade import Amount, Part, UpgradeAnswers
from lago_acceptance.lago.release_table import Release
from lago_acceptance.lago.upgrades import Constraint

MIB = 2**20
READ_PER_SECOND = 100 * MIB
"""What a disk is assumed to read, in bytes per second; what is in memory already takes less."""


@registry.check(
    phase=8,
    vantage=(Vantage.LIVE,),
    errors={
        "upgrade-disk": "There is room for the dump of an upgrade, and for a copy of the database beside it."
    },
)
def is_there(facts: Facts) -> Iterator[Finding]:
    """The deployment's folder has room for a dump, and Docker's data for a second copy of the database.

    A deploy keeps a dump that can be as large as the database; a rehearsal and a restore make a copy of the database beside it.
    """
    found = answers(facts)
    if found.size is None or not found.rooms:
        raise Unknown(
            "the size of the database, or the free space of the host, could not be read",
            why="the size of the database, or the free space of the host, could not be read",
            fix="see for yourself: SELECT pg_database_size(current_database()), df -h",
        )
    for mount, need, what in needs(found):
        free = next(each.free for each in found.rooms if each.mount == mount)
        if free < need:
            yield Finding(
                id="upgrade-disk",
                role=DB,
                problem=f"{free // MIB} MiB are free on {mount}, and {what} may need {need // MIB} MiB: the database has "
                f"{found.size // MIB} MiB",
                impact="the deploy refuses to start, or the disk fills up while the database is restored or migrated, and PostgreSQL "
                "stops",
                fix="remove old backups (lago-acceptance status HOST lists them) and unused images (docker image prune), or enlarge "
                "the disk",
            )


def needs(found: UpgradeAnswers) -> list[tuple[str, int, str]]:
    """Where an upgrade needs how many bytes, and for what. The first room has the folder, the last one Docker's data."""
    size, folder, docker = found.size or 0, found.rooms[0].mount, found.rooms[-1].mount
    if folder == docker:
        return [(folder, 2 * size, "a dump and a copy of the database")]
    return [(folder, size, "a dump"), (docker, size, "a copy of the database")]


class Ahead(msgspec.Struct, frozen=True):
    """What a migration on the way validates: by which release and migration, on what, and what it takes.

    ``left`` are the rows that it would refuse (None: not known), ``state`` why they can't be or were not counted; ``lock``
    what it locks, ``seconds`` how long its scan takes, None where the table isn't there yet.
    """

    release: str
    migration: str
    table: str
    column: str
    left: Amount | None
    state: str
    rows: Amount | None
    bytes: int | None
    lock: str
    seconds: float | None


def ahead(facts: Facts, to: Release | None) -> list[Ahead]:
    """What the migrations on the way validate, in their order."""
    aim, found = aim_of(facts, to), answers(facts)
    return [_ahead(aim, each, found.part(each.proof) if each.undone else Part()) for each in aim.ahead]


def _ahead(aim: Aim, constraint: Constraint, part: Part) -> Ahead:
    return Ahead(
        release=constraint.required_from,
        migration=constraint.migration,
        table=constraint.table,
        column=constraint.column or constraint.undone,
        left=part.left if part.there else None,
        state=_state(constraint, part),
        rows=part.total,
        bytes=part.bytes,
        lock=_lock(constraint),
        seconds=part.bytes / READ_PER_SECOND if part.bytes is not None else None,
    )


def _state(constraint: Constraint, part: Part) -> str:
    if not constraint.undone:
        return "filled in or checked by the migration itself"
    return {
        "": "not asked",
        "no table": "the table comes on the way",
        "no column": "the column comes on the way"
        + (f", with {constraint.column_since}" if constraint.column_since else ""),
        "holds": "held by a constraint already",
        "index": "not counted: it took too long",
        "small": "not counted: it took too long",
        "sample": "not counted: the table is large, and has no index for it",
    }[part.way]


def _lock(constraint: Constraint) -> str:
    scan = "VALIDATE CONSTRAINT reads the table once under SHARE UPDATE EXCLUSIVE (reads and writes go on)"
    if constraint.column and constraint.undone == f"{constraint.column} IS NULL":
        return f"{scan}, then SET NOT NULL takes ACCESS EXCLUSIVE for a moment"
    return scan


def seconds_text(seconds: float | None) -> str:
    """A time for a reader, "" where it isn't known."""
    if seconds is None:
        return ""
    return "under 1 s" if seconds < 1 else f"about {duration(seconds)}"
