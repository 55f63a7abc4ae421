"""Check that nothing of others in Lago's schema is in an upgrade's way."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.checks.upgrade import answers, listed, state_of
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Vantage
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago import upgrades

# Tables of Rails' own.
_OF_RAILS = {"schema_migrations", "ar_internal_metadata"}


@registry.check(
    phase=8,
    vantage=(Vantage.LIVE,),
    errors={"upgrade-foreign-column": "No column is there already that a later migration adds."},
    warnings={"upgrade-foreign-table": "Lago's schema holds no tables of others."},
)
def are_not_in_the_way(facts: Facts) -> Iterator[Finding]:
    """Lago's schema has no tables that Lago doesn't know, and no columns by names that later migrations add."""
    state, found = state_of(facts), answers(facts)
    if state.at is None:
        raise Blocked(
            "upgrade-half-migrated" if state.half else "upgrade-database-too-old",
            "what belongs to this schema isn't known",
        )
    columns = {
        f"{each.table}.{each.column}": each.column_since
        for each in upgrades.constraints()
        if each.column
        and each.column_since
        and upgrades.numbers(each.column_since) > state.at.numbers
        and found.part(each.proof).there
    }
    if columns:
        yield Finding(
            id="upgrade-foreign-column",
            role=DB,
            problem=f"{state.at.tag}'s schema has columns that a later release adds: {listed(columns)}",
            impact=f"the migration that adds them (by {min(columns.values(), key=upgrades.numbers)}) ends with "
            "PG::DuplicateColumn, and the upgrade half-way",
            fix="find out who added them, move their values elsewhere and drop them: ALTER TABLE … DROP COLUMN …",
        )
    stated = facts.process(facts.running(API)).schema
    tables = availability.database(facts).tables
    if state.pending or state.newer:
        by = "upgrade-image-newer-than-schema" if state.pending else "upgrade-image-older-than-schema"
        raise Blocked(by, "the image's schema file is not that of the database")
    if stated is None or stated.columns is None or tables is None:
        raise Unknown(
            "whether tables of others are in Lago's schema: the image's schema file could not be read",
            why="the image's schema file could not be read",
        )
    if others := sorted(set(tables) - set(stated.columns) - _OF_RAILS):
        yield Finding(
            id="upgrade-foreign-table",
            role=DB,
            problem=f"tables that Lago doesn't have are in its schema: {listed(others)}",
            impact="a later migration that makes a table of the same name fails, and so does one that drops what they refer to",
            fix="move them to a schema or a database of their own",
        )
