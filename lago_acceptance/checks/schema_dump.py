"""The exact comparison of the schema, for the night: what Rails' own dumper writes beside the schema file of the image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.checks import availability, schema_structure
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, errors_among
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.schema_dump import ROOM_MIB, Part, SchemaDump
from lago_acceptance.facts.types import Container, Facts

_SLOW = "Lago's queries read whole tables: requests and jobs get slower with each row, until they end in time-outs"
_MAKE_AGAIN = "make them as the schema file has them: {psql}, "
_WORDS = {
    "schema-column-differs": (
        "columns have another type or default",
        "values are cut, rounded or refused, or a row begins with a value that Lago doesn't expect",
        "find who changed them and why; then: {psql}, ALTER TABLE … ALTER COLUMN … TYPE … or SET DEFAULT …",
    ),
    "schema-unique-index-differs": (
        "unique indexes are on other rows",
        "rows that must be unique can be there twice, or Lago's own rows are refused",
        "look for rows that are there twice; then: {psql}, DROP INDEX …, and CREATE UNIQUE INDEX CONCURRENTLY … as the schema "
        "file has it",
    ),
    "schema-enum-differs": (
        "enumerated types have other values",
        "a row with a value that is missing is refused: requests answer 500 and jobs die",
        "{psql}, ALTER TYPE … ADD VALUE …",
    ),
    "schema-index-missing": (
        "indexes are missing or on something else",
        _SLOW,
        _MAKE_AGAIN + "CREATE INDEX CONCURRENTLY …",
    ),
    "schema-check-missing": (
        "check constraints are missing or state something else",
        "rows that Lago takes for impossible are stored, and the jobs that read them end with an error",
        _MAKE_AGAIN + "ALTER TABLE … ADD CONSTRAINT … CHECK … NOT VALID",
    ),
    "schema-foreign-key-differs": (
        "foreign keys act in another way",
        "what is deleted takes other rows with it, or leaves them behind",
        _MAKE_AGAIN + "ALTER TABLE … DROP CONSTRAINT …, ADD CONSTRAINT … FOREIGN KEY …",
    ),
    "schema-view-differs": (
        "views are missing or show something else",
        "what Lago reads there, usage among it, is wrong or fails",
        _MAKE_AGAIN + "CREATE OR REPLACE VIEW …",
    ),
    "schema-function-differs": (
        "functions or triggers are missing or do something else",
        "what they write is missing or wrong",
        _MAKE_AGAIN + "CREATE OR REPLACE FUNCTION …, CREATE TRIGGER …",
    ),
}
# The id for what is missing or different, by the kind of the part.
_IDS = {
    "column": "schema-column-differs",
    "unique index": "schema-unique-index-differs",
    "index": "schema-index-missing",
    "enum": "schema-enum-differs",
    "check constraint": "schema-check-missing",
    "foreign key": "schema-foreign-key-differs",
    "view": "schema-view-differs",
    "function": "schema-function-differs",
    "trigger": "schema-function-differs",
}
_VALUE = re.compile(r"""["']([^"']*)["']""")
# What a look without Rails finds where it is not there at all (checks/schema_structure.py).
_SEEN_EACH_TIME = ("unique index", "foreign key", "trigger")


def compared(facts: Facts, settings: Settings) -> Container:
    """The API's container, whose Rails can write the schema. Blocked or Unknown where that would be of no use."""
    found = errors_among(list(schema_structure.is_that_of_the_image(facts, settings)))
    if found:
        raise Blocked(found[0].id, "what Rails would write of the schema")
    available = facts.machine.available if facts.machine else None
    if available is not None and available < ROOM_MIB:
        raise Unknown(
            f"Rails was not asked to write the schema: the host has {available} MiB of memory left, and a second Rails needs "
            f"{ROOM_MIB}",
            why="the host has too little memory for a second Rails",
            fix="end what needs the memory (docker stats), or give the host more",
        )
    return availability.running(facts, API)


@registry.check(
    phase=2,
    errors={
        "schema-column-differs": "The columns have the types and defaults of the schema file.",
        "schema-unique-index-differs": "The unique indexes hold for the rows that the schema file names.",
        "schema-enum-differs": "The enumerated types have the values of the schema file.",
    },
    warnings={
        "schema-index-missing": "The other indexes of the schema file are there.",
        "schema-check-missing": "Its check constraints are there.",
        "schema-foreign-key-differs": "The foreign keys act as the schema file has them.",
        "schema-view-differs": "Its views show what the schema file states.",
        "schema-function-differs": "Its functions and triggers do what the schema file states.",
    },
)
def is_what_rails_would_write(facts: Facts, dump: SchemaDump) -> Iterator[Finding]:
    """Rails' own dumper, run in the API's container, writes the schema file of the image: db/schema.rb at 1.16.0,
    db/structure.sql later. The order of the columns, and names of indexes, don't count; nor do tables, columns and indexes
    that others added, as far as they refuse nothing.

    It runs at night only: it boots a second Rails. From structure.sql on it is a warning.
    """
    if dump.error:
        raise Unknown(
            f"Rails could not write the schema: {dump.error}",
            why="Rails could not write the schema",
            fix="run again; if it stays, read what it says: docker exec "
            f"{getattr(facts.running(API), 'name', 'lago-api')} bundle exec rails runner 'puts Rails.version'",
        )
    found: dict[str, list[str]] = {}
    for part, other in _changed(dump):
        found.setdefault(_IDS[part.kind], []).append(_difference(part, other))
    for id, differences in found.items():
        yield schema_structure.difference(facts, id, _WORDS[id], differences, dump.file)


def _changed(dump: SchemaDump) -> Iterator[tuple[Part, Part | None]]:
    """The parts that the file states and the database has otherwise, or not at all (None)."""
    there = {_named(each): each for each in dump.only_there}
    texts = {(each.kind, each.table, each.text) for each in dump.only_there}
    # That columns are missing is found without Rails, and what is on them follows.
    lacking = {each.table for each in dump.only_stated if each.kind == "column" and _named(each) not in there}
    for part in dump.only_stated:
        if part.kind not in _IDS or part.table in lacking:
            continue
        other = there.get(_named(part))
        if other is None:
            renamed = (part.kind, part.table, part.text) in texts
            if not renamed and part.kind not in _SEEN_EACH_TIME:
                yield part, None
        elif not _alike(part, other):
            yield part, other


def _named(part: Part) -> tuple[str, str, str]:
    return part.kind, part.table, part.name


def _alike(part: Part, other: Part) -> bool:
    if part.kind == "enum":
        # Further values refuse nothing.
        return set(_VALUE.findall(part.text)) <= set(_VALUE.findall(other.text))
    # Whether a column may be NULL is reported in each look, and is no part of these.
    return (part.text, part.default) == (other.text, other.default)


def _difference(part: Part, other: Part | None) -> str:
    where = f"{part.table}.{part.name}" if part.kind == "column" else part.name or part.table
    on = f" on {part.table}" if part.table and part.kind != "column" and part.name else ""
    if other is None:
        return f"{where}{on}"
    return f"{where}{on} is {_definition(other)} instead of {_definition(part)}"


def _definition(part: Part) -> str:
    if part.kind != "column":
        return part.text
    return f"{part.text}, default {part.default}" if part.default else f"{part.text} without a default"
