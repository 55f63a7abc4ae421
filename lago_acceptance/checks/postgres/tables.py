"""Checks of what wears Lago's tables out unseen: broken indexes, numbers that run out, no vacuum, another sort order."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.postgres.known import known, server
from lago_acceptance.checks.postgres.remedies import identifier, psql, to_default
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB
from lago_acceptance.facts.types import Facts

_SPENT = 0.95


@registry.check(phase=2, errors={"database-index-invalid": "Every index of Lago's tables is valid."})
def indexes_are_valid(facts: Facts) -> Iterator[Finding]:
    """No index was left half-built by CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY.

    An error where it is to keep rows unique; else a warning.
    """
    for index in known(facts, server(facts).indexes, "its indexes"):
        left_over = "_ccnew" in index.name or "_ccold" in index.name
        unique = index.unique and not left_over
        name = identifier(index.name)
        again = psql(facts, f"REINDEX INDEX CONCURRENTLY {name}")
        drop = psql(facts, f"DROP INDEX CONCURRENTLY {name}")
        yield Finding(
            id="database-index-invalid",
            role=DB,
            severity=Severity.ERROR if unique else Severity.WARNING,
            problem=f"the{' unique' if index.unique else ''} index {index.name} of {index.table} is invalid: it was not built "
            "to its end",
            impact="rows that may be there once are there twice, and may be counted and billed twice"
            if unique
            else "PostgreSQL keeps it up with every write and never uses it: queries are slower than they should be",
            fix=f"drop what is left over: {drop}"
            if left_over
            else (
                "remove the rows that are there twice, and build it again: " if unique else "build it again: "
            )
            + again,
        )


@registry.check(
    phase=2, errors={"database-sequence-near-end": "Every sequence has at least a fifth of its numbers left."}
)
def sequences_have_numbers_left(facts: Facts) -> Iterator[Finding]:
    """No sequence has used 80 % of its numbers, or of those that its column can hold. An error from 95 % on."""
    for each in known(facts, server(facts).sequences, "its sequences"):
        share = each.last / each.maximum if each.maximum > 0 else 0.0
        if share < 0.8:
            continue
        widen = (
            f"ALTER TABLE {identifier(each.table)} ALTER COLUMN … TYPE bigint"
            if each.table
            else "ALTER SEQUENCE … AS bigint"
        )
        yield Finding(
            id="database-sequence-near-end",
            role=DB,
            severity=Severity.ERROR if share >= _SPENT else Severity.WARNING,
            problem=f"the sequence {each.name} is at {each.last} of {each.maximum} ({share:.0%})"
            + (f"; {each.table} takes its ids from it" if each.table else ""),
            impact="when it ends, nothing can be added to the table: each attempt is an error",
            fix=f"make room before: {widen} and ALTER SEQUENCE {identifier(each.name)} AS bigint, in a quiet hour (the table is "
            "rewritten and locked meanwhile)",
        )


@registry.check(
    phase=2,
    warnings={"database-autovacuum-off": "Autovacuum is on, for the server and each of Lago's tables."},
)
def autovacuum_is_on(facts: Facts) -> Iterator[Finding]:
    """Neither the server nor a table of Lago (autovacuum_enabled) has autovacuum switched off."""
    found = server(facts)
    off_everywhere = known(facts, found.settings, "its settings").get("autovacuum") == "off"
    tables = known(facts, found.tables_off, "which tables have no autovacuum")
    if off_everywhere or tables:
        reset = [f"ALTER TABLE {identifier(each)} RESET (autovacuum_enabled)" for each in tables[:5]]
        yield Finding(
            id="database-autovacuum-off",
            role=DB,
            problem="autovacuum is off "
            + ("for the whole server" if off_everywhere else f"for {', '.join(tables[:5])}"),
            impact="deleted rows are never cleaned up and statistics never renewed: tables grow, queries get slow, and after "
            "two thousand million transactions PostgreSQL takes no writes",
            fix=to_default(facts, "autovacuum") if off_everywhere else psql(facts, *reset),
        )


@registry.check(
    phase=2,
    warnings={"database-collation-changed": "Texts are sorted as they were when the indexes were built."},
)
def collations_are_the_same(facts: Facts) -> Iterator[Finding]:
    """The version of the database's collation is the system's: seen from PostgreSQL 15 on.

    Another base image (Alpine instead of Debian, or a later release) sorts texts in another order than the indexes have.
    """
    for each in server(facts).collations or ():
        database = (about := server(facts).about) and about.database or ""
        steps = (
            f"REINDEX DATABASE {identifier(database)}",
            f"ALTER DATABASE {identifier(database)} REFRESH COLLATION VERSION",
        )
        yield Finding(
            id="database-collation-changed",
            role=DB,
            problem=f"the collation of {each.name} was {each.recorded} when its indexes were built, and is {each.actual} now",
            impact="rows are not found by their text, and what has to be unique can be stored twice: customers and usage "
            "get lost or count twice",
            fix=f"go back to the image of before, or rebuild the indexes in a quiet hour: {psql(facts, *steps)}",
        )
