"""What an upgrade of Lago needs on the way (docs/upgrades.md; docs/lago-facts.md, section 7).

A stop is a release at which data has to be filled in before a later one can be deployed. Where the later one validates
the data in its migrations, ``required_by`` names it: without the stop its migration fails and leaves a database that is
neither the old release's nor the new one's. stops.toml has the stops, constraints.tsv what later releases validate.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from lago_acceptance.lago.release_table import Numbers, Release, nearest

HALF_MIGRATED = (
    "/health stays 200 and events are taken in, but customers and subscriptions can't be created (500) and nothing is "
    "billed"
)

# Its folded migration takes only databases that have been migrated by a release from FOLDED_FROM to just before it.
FOLDED_IN, FOLDED_FROM = (1, 31, 0), (1, 19, 1)
# The number of that migration, and how many others it notes as done.
FOLDED_MIGRATION, FOLDED_OTHERS = "20250122112050", 449


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What has to run at a stop: a ``command`` for a shell in a container of that release.

    ``jobs`` are the classes of the jobs that it enqueues, and which a worker of that release runs. ``each`` is
    "organization" where it is run once for each, with its id in place of ORGANIZATION_ID, "" where it is run once.
    ``waits``: it waits, without a deadline, until its jobs have filled everything, so a worker has to run beside it.
    ``once``: to run it a second time does harm. ``alone``: the next task must not begin before its jobs are done, because both
    change the same rows and PostgreSQL ends one of two jobs that wait for each other.
    """

    command: str
    jobs: tuple[str, ...] = ()
    each: str = ""
    waits: bool = False
    once: bool = False
    alone: bool = False


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """How to see that something is done: no row of ``table`` is left for which ``undone`` (SQL) is true.

    ``columns`` of the table must exist for it to be asked.
    """

    says: str
    table: str
    undone: str
    columns: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """A read-only statement that counts the rows that are left."""
        return f"SELECT count(*) FROM {self.table} WHERE {self.undone}"


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """What migrations validate from the release ``required_from`` on: no row of ``table`` for which ``undone`` is true.

    ``column`` is "" where it is no single one, ``undone`` "" where rows can't violate it: migrations fill them or make the
    column. ``column_since`` is the first release that has the column ("": v1.16.0 or earlier), ``filled_by`` the jobs that
    fill it, ``job_since`` their first releases, ``migration`` the one that fails.
    """

    required_from: str
    table: str
    column: str
    undone: str
    column_since: str
    filled_by: tuple[str, ...]
    job_since: str
    migration: str

    @property
    def proof(self) -> Proof:
        """How to see that the constraint holds."""
        columns = (self.column,) if self.column else ()
        return Proof(
            says=f"no row of {self.table} without {self.column or self.undone}",
            table=self.table,
            undone=self.undone,
            columns=columns,
        )


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A release to stop at. ``data`` is what is filled in there by ``task``; ``proof`` has proofs beside the constraints'.

    ``left`` counts rows that a task may leave: to be shown, not to be waited for. ``required_by`` is the tag of the first
    release whose migrations fail without it, "" if none does. ``note`` is what to know about it, "" if nothing. ``also`` is
    the tag of the last release whose image can do the same, when it migrates no further than this release, "" if none can.
    """

    tag: str
    data: str
    task: tuple[Task, ...]
    proof: tuple[Proof, ...] = ()
    left: tuple[Proof, ...] = ()
    required_by: str = ""
    note: str = ""
    also: str = ""

    @property
    def version(self) -> Numbers:
        """The numbers of its tag."""
        return numbers(self.tag)

    def done_by(self, release: Release) -> bool:
        """Whether the image of a later release can take this one's place, migrating no further."""
        return bool(self.also) and self.version < release.numbers <= numbers(self.also)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What the release that requires it validates, and what can be seen before."""
        return tuple(each for each in constraints() if each.required_from == self.required_by and each.undone)

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """All that shows that the stop is done."""
        return (*(each.proof for each in self.constraints if each.filled_by), *self.proof)


class Leg(msgspec.Struct, frozen=True):
    """One part of an upgrade: the release that runs then, and the stop that it is (None where nothing has to be filled in)."""

    release: Release
    stop: Stop | None

    @property
    def tag(self) -> str:
        """The tag of the release."""
        return self.release.tag


@cache
def numbers(tag: str) -> Numbers:
    """The numbers of a tag such as v1.16.0."""
    return tuple(int(part) for part in tag.lstrip("v").split("."))


@cache
def stops() -> tuple[Stop, ...]:
    """All stops, in the order of the releases."""
    text = Path(__file__).with_name("stops.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["stop"], tuple[Stop, ...])


@cache
def constraints() -> tuple[Constraint, ...]:
    """All constraints that later releases validate, in the order of the migrations that do."""
    with Path(__file__).with_name("constraints.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return tuple(
        Constraint(**(row | {"filled_by": tuple(filter(None, row["filled_by"].split(",")))})) for row in rows
    )


def path(had: Numbers, has: Numbers) -> tuple[Leg, ...]:
    """The legs of an upgrade, in order.

    The first one is the release that runs already, where what has to run there is still due; the last one is ``has``.
    () where the two are the same or ``has`` is older.
    """
    if not had < has:
        return ()
    between = [each for each in stops() if had <= each.version < has]
    legs = [Leg(found, stop) for stop in between if (found := nearest(stop.version))]
    last = nearest(has)
    return (*legs, Leg(last, next((each for each in stops() if each.version == has), None))) if last else ()


def skipped(old: Numbers, new: Numbers) -> tuple[Stop, ...]:
    """The stops between two releases that a deploy from one straight to the other leaves out."""
    return tuple(each for each in stops() if old < each.version < new)


def fatal(old: Numbers, new: Numbers) -> tuple[Stop, ...]:
    """Those of them without which a migration on the way fails."""
    return tuple(each for each in skipped(old, new) if each.required_by and numbers(each.required_by) <= new)


def due_before(old: Numbers, new: Numbers) -> Stop | None:
    """The stop that is deployed now, if what has to run there is required on the way."""
    return next((each for each in _reached(old) if old < numbers(each.required_by) <= new), None)


def _reached(old: Numbers) -> Iterator[Stop]:
    return (each for each in stops() if each.version <= old and each.required_by)
