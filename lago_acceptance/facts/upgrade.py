"""What a look for an upgrade reads beside everything else: applied migrations, what the data lacks, sizes, room on disk.

scripts/upgrade.sql asks PostgreSQL. It answers within bounds, so an answer may be exact, a lower bound, or an estimate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts import answers
from lago_acceptance.facts.untrusted import decoded
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.filling import MODULE
from lago_acceptance.lago.upgrades import Proof

# The bounds of scripts/upgrade.sql.
COUNTED_TO = 1000
EXACT, AT_LEAST, ABOUT = "exact", "at least", "about"
_DISK = re.compile(r"\s\d+\s+-?\d+\s+(-?[0-9]{1,18})\s+(?:\d+%|-)\s+(/.*)")


class Amount(msgspec.Struct, frozen=True):
    """A number of rows. ``kind``: EXACT, AT_LEAST, or ABOUT (by PostgreSQL's statistics)."""

    number: int
    kind: str = EXACT

    def __str__(self) -> str:
        return {EXACT: "", AT_LEAST: "at least ", ABOUT: "about "}[self.kind] + f"{self.number:,}"


class Part(msgspec.Struct, frozen=True):
    """What is known of one proof: of the rows of a table for which something isn't done.

    ``way`` is how it was counted: "no table", "no column", "holds" (a constraint rules such rows out), "index", "small" (the
    table was read) or "sample" (its first rows were read: ``read``). ``open`` is the count (None: not counted in time),
    ``rows`` PostgreSQL's estimate of the table's rows, ``all`` their count, ``bytes`` the table's size without indexes,
    ``null_share`` the share of NULLs in the statistics of a large one.
    """

    key: str = ""
    way: str = ""
    rows: int | None = None
    analyzed: bool = False
    bytes: int | None = None
    null_share: float | None = None
    open: int | None = None
    all: int | None = None
    read: int | None = None

    @property
    def there(self) -> bool:
        """Whether its table and columns exist."""
        return self.way not in ("", "no table", "no column")

    @property
    def total(self) -> Amount | None:
        """How many rows the table has, None where that isn't known."""
        if self.all is not None:
            return Amount(self.all)
        return Amount(self.rows, ABOUT) if self.rows is not None and self.analyzed else None

    @property
    def left(self) -> Amount | None:
        """How many rows are to be done, None where that isn't known. Zero is always exact."""
        if self.way == "holds":
            return Amount(0)
        estimate = round((self.null_share or 0) * (self.rows or 0))
        if self.open is not None and self.way in ("index", "small"):
            if self.open <= COUNTED_TO or self.way == "small":
                return Amount(self.open)
            return Amount(estimate, ABOUT) if estimate > COUNTED_TO else Amount(COUNTED_TO, AT_LEAST)
        if estimate:
            return Amount(estimate, ABOUT)
        if self.open:
            return Amount(self.open, AT_LEAST)
        # All of them were read.
        whole = (
            self.open is not None and self.read is not None and self.bytes is not None and self.read < 10_000
        )
        return Amount(0) if whole else None


class Room(msgspec.Struct, frozen=True):
    """Free space, in bytes, of the file systems that have the deployment's folder and Docker's data; the places may be one."""

    mount: str
    free: int


class UpgradeAnswers(msgspec.Struct, frozen=True):
    """What was answered. ``applied`` are the versions in schema_migrations, ``size`` the database's bytes.

    ``seconds`` is how long PostgreSQL took for all of it, ``complete``: it came to the end, ``error`` what went wrong.
    """

    applied: tuple[str, ...] | None = None
    size: int | None = None
    parts: dict[str, Part] = {}
    seconds: float | None = None
    complete: bool = False
    rooms: tuple[Room, ...] = ()
    error: str = ""

    def part(self, proof: Proof) -> Part:
        """What is known of a proof; an empty part where nothing is."""
        return self.parts.get(key_of(proof.table, proof.undone), Part())


def key_of(table: str, undone: str) -> str:
    """The name of what is counted."""
    return f"{table}: {undone}"


def proofs() -> dict[str, Proof]:
    """All that can be counted, by its name: what constraints validate, the stops' proofs, and what their tasks may leave."""
    constraints = (each.proof for each in upgrades.constraints() if each.undone)
    of_stops = (proof for stop in upgrades.stops() for proof in (*stop.proof, *stop.left))
    return {key_of(each.table, each.undone): each for each in (*constraints, *of_stops)}


def columns_of(proof: Proof) -> tuple[str, ...]:
    """The columns that a proof reads, the first one being what it is about: its names are the words in lower case."""
    words = re.findall(r"\b[a-z_][a-z0-9_]*\b", re.sub(r"'[^']*'", "", proof.undone))
    return tuple(dict.fromkeys((*proof.columns, *words)))


def as_values(asked: Iterable[Proof]) -> str:
    """Proofs as rows of VALUES: name, table, columns, condition."""
    rows = (
        f"({_literal(key_of(each.table, each.undone))}, {_literal(each.table)}, "
        f"{_literal('{' + ','.join(columns_of(each)) + '}')}::text[], {_literal(each.undone)})"
        for each in asked
    )
    return ",\n".join(rows) + "\n"


def words_of_jobs() -> str:
    """What the names of jobs that fill data in have in them, separated by blanks."""
    named = (job for stop in upgrades.stops() for task in stop.task for job in task.jobs)
    return " ".join(dict.fromkeys((MODULE, *(each for each in named if MODULE not in each))))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def parsed(text: str, space: str) -> UpgradeAnswers | None:
    """What scripts/upgrade.sql and df have printed; None where nothing was asked."""
    if not text.strip():
        return None
    found: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    problems = []
    for line in text.splitlines():
        name, tab, value = line.partition("\t")
        answer = decoded(value) if tab else None
        if name in ("part", "count") and isinstance(answer, dict):
            known = {key: each for key, each in answer.items() if each is not None}
            parts.setdefault(str(answer.get("key")), {}).update(known)
        elif tab and name in UpgradeAnswers.__struct_fields__ and answer is not None:
            found[name] = answer
        elif line.strip():
            problems.append(line.strip())
    answered = answers.decode(UpgradeAnswers, found)
    return msgspec.structs.replace(
        answered,
        parts={key: answers.decode(Part, each) for key, each in parts.items()},
        rooms=_rooms(space),
        error=redact("; ".join(problems))[:500],
    )


def _rooms(text: str) -> tuple[Room, ...]:
    lines = filter(None, map(_DISK.search, text.splitlines()))
    return tuple(dict.fromkeys(Room(each[2], int(each[1]) * 1024) for each in lines))
