"""Checks of the schema's structure: what the image's own schema file states is there, and nothing acts beside Lago."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, elsewhere, schema
from lago_acceptance.checks.structure_differences import differences
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.structure import Structure
from lago_acceptance.facts.types import Facts

SHOWN = 5
# What a table without its unique index leads to.
_TWICE = {
    "events": "an event that is sent twice counts twice: customers are billed for usage that they did not have",
    "invoice_subscriptions": "two jobs can bill one period of a subscription twice",
    "invoices": "two invoices of a customer can get the same number",
    "api_keys": "two organizations can have one API key, and see each other's customers",
    "customers": "one external_id can be two customers, of which only one is billed",
    "plans": "one code can be two plans, and subscriptions go to either",
    "billable_metrics": "one code can be two metrics: usage counts for either",
}
_ELSE_TWICE = "rows that must be unique can be there twice"


@registry.check(
    phase=2,
    errors={
        "schema-table-missing": "The database has all tables of the image's schema file.",
        "schema-column-missing": "Its tables have all columns of the schema file.",
        "schema-column-added": "No column that Lago doesn't know must be filled.",
        "schema-unique-index-missing": "Its tables have the unique indexes of the schema file, on the same columns.",
        "schema-unique-index-added": "No other unique index refuses Lago's rows.",
        "schema-foreign-key-missing": "Its tables have the foreign keys of the schema file.",
        "schema-foreign-key-off": "No table's foreign keys are switched off.",
        "schema-not-null-missing": "The columns that must not be NULL can't be.",
        "schema-not-null-added": "The columns that may be NULL can be.",
        "schema-trigger-added": "No trigger, rule, row level security or check constraint of others acts on Lago's tables.",
        "schema-trigger-missing": "The triggers of the schema file are there and enabled.",
        "schema-extension-missing": "The extensions of the schema file are installed.",
    },
    warnings={
        "schema-foreign-key-unchecked": "The foreign keys hold for the rows that were there before them, too.",
        "schema-function-added": "Lago's schema has no functions but Lago's and its extensions'.",
    },
)
def is_that_of_the_image(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The catalogs hold the tables, columns, unique indexes, foreign keys, triggers and extensions that the image's schema
    file states: db/schema.rb at 1.16.0, db/structure.sql later. Names are compared, and what they are on. Other names for the
    same index are as good, and tables that Lago doesn't have do no harm.

    From structure.sql on it is a warning: those versions leave out parts where an extension can't be had.
    """
    has, stated = _compared(facts, settings)
    for id, found in differences(has, stated).items():
        what, impact, fix = _WORDS[id]
        if id == "schema-unique-index-missing":
            impact = "; ".join(dict.fromkeys(_TWICE.get(each.table, _ELSE_TWICE) for each in found))
        yield difference(facts, id, (what, impact, fix), [each.text for each in found], stated.file)


def difference(facts: Facts, id: str, words: tuple[str, str, str], texts: list[str], file: str) -> Finding:
    """The finding for what differs from the image's schema file: what it is, what it leads to, and the fix, in which
    ``{psql}`` is the command that opens the database. A warning from structure.sql on.
    """
    what, impact, fix = words
    known = registry.known(id)
    api = getattr(facts.running(API), "name", "lago-api")
    return Finding(
        id=id,
        role=DB,
        severity=Severity.WARNING if file.endswith(".sql") or known is None else known.severity,
        problem=f"{what}: {_listed(texts)}",
        impact=impact,
        fix=f"{fix.format(psql=_psql(facts))} (it is stated in the container {api}: {file})",
    )


_WORDS = {
    "schema-table-missing": (
        "tables are missing",
        "every request and job that needs them ends with PG::UndefinedTable",
        "restore the last dump: the migrations count as done, and db:migrate doesn't make the tables again",
    ),
    "schema-column-missing": (
        "columns are missing",
        "every request and job that writes them ends with PG::UndefinedColumn",
        "restore them from the last dump, or add the column as the schema file has it: {psql}",
    ),
    "schema-column-added": (
        "columns that Lago doesn't know must not be NULL, and have no default",
        "Lago leaves them out, and every new row of these tables is refused: requests answer 500 and jobs die",
        "find who added them and why; then: {psql}, ALTER TABLE … ALTER COLUMN … DROP NOT NULL, or DROP COLUMN …",
    ),
    "schema-unique-index-added": (
        "there are unique indexes that Lago doesn't have",
        "a second row with the same values is refused: requests answer 422 or 500 and jobs die, for the customers that it "
        "hits",
        "find who added them and why; then: {psql}, DROP INDEX CONCURRENTLY …, or ALTER TABLE … DROP CONSTRAINT …",
    ),
    "schema-unique-index-missing": (
        "unique indexes are missing or on something else",
        _ELSE_TWICE,
        "look for rows that are there twice, delete the later ones, and make the index again with the name, columns and "
        "`where` of the schema file: {psql}, CREATE UNIQUE INDEX CONCURRENTLY",
    ),
    "schema-foreign-key-missing": (
        "foreign keys are missing",
        "rows can name others that don't exist: the jobs that read them end with an error",
        "look for such rows, then: {psql}, ALTER TABLE … ADD FOREIGN KEY … REFERENCES …",
    ),
    "schema-foreign-key-off": (
        "foreign keys are switched off",
        "rows can name others that don't exist: the jobs that read them end with an error",
        "{psql}, ALTER TABLE … ENABLE TRIGGER ALL; then look for rows that name none",
    ),
    "schema-foreign-key-unchecked": (
        "foreign keys were never checked against the rows that were there",
        "older rows may name others that don't exist",
        "{psql}, ALTER TABLE … VALIDATE CONSTRAINT …",
    ),
    "schema-not-null-missing": (
        "columns may be NULL that must not",
        "a row without the value is taken, and the jobs that read it end with an error",
        "look for rows with NULL, then: {psql}, ALTER TABLE … ALTER COLUMN … SET NOT NULL",
    ),
    "schema-not-null-added": (
        "columns must not be NULL that may",
        "Lago leaves them out, and its rows are refused: requests answer 500 and jobs die",
        "{psql}, ALTER TABLE … ALTER COLUMN … DROP NOT NULL",
    ),
    "schema-trigger-added": (
        "something that isn't Lago's acts on its tables",
        "it can change, drop or refuse events and invoices while Lago answers 200, or make every write fail",
        "find who made it and why; then: {psql}, DROP TRIGGER (or RULE) … ON …, ALTER TABLE … DROP CONSTRAINT …, or ALTER TABLE "
        "… DISABLE ROW LEVEL SECURITY",
    ),
    "schema-trigger-missing": (
        "triggers are missing or disabled",
        "what they write is missing",
        "make them again as the schema file has them, or: {psql}, ALTER TABLE … ENABLE TRIGGER …",
    ),
    "schema-extension-missing": (
        "extensions are missing",
        "requests that use their functions answer 500: pgcrypto makes ids, unaccent searches",
        "{psql}, CREATE EXTENSION …",
    ),
    "schema-function-added": (
        "there are functions that neither Lago nor an extension has",
        "one with the name of a built-in function can be called in its stead",
        "find who made them; if nobody needs them: {psql}, DROP FUNCTION …",
    ),
}


def _compared(facts: Facts, settings: Settings) -> tuple[Structure, Structure]:
    """What the database has, and what the image states. Blocked or Unknown where they can't be compared."""
    database = availability.database(facts)
    schema.key_lets_migrate(facts)
    if schema.is_not_the_images(facts, settings):
        raise Blocked("schema-not-the-images", "the database has other migrations than the image")
    process = facts.process(availability.running(facts, API))
    has, stated = database.structure, process.schema
    if stated is None or not stated.columns:
        said = (stated and stated.error) or process.error or "it was not read"
        raise Unknown(
            f"the schema file of the image is not known: {said}",
            why="the schema file of the image is not known",
        )
    if has is None or not has.columns:
        said = (has and has.error) or facts.database_error or "no answer"
        raise Unknown(f"PostgreSQL did not report the structure of its schema: {said}", fix="run again")
    return has, stated


def _psql(facts: Facts) -> str:
    if DB in facts.elsewhere:
        return elsewhere.CLIENTS[DB]
    name = getattr(facts.running(DB), "name", "NAME")
    return f'docker exec -it {name} sh -c \'psql -U "$POSTGRES_USER" "$POSTGRES_DB"\''


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
