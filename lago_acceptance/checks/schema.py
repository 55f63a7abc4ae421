"""Checks of the database's schema: the migrations are those of the Lago that runs, and no other application's."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, database_trouble, diagnosis
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import since
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, MIGRATE
from lago_acceptance.core.settings import Schema, Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago.release_table import releases
from lago_acceptance.lago.schema_position import rows_for
from lago_acceptance.lago.upgrades import FOLDED_IN, FOLDED_MIGRATION
from lago_acceptance.lago.versions import numbers_in

# The tables in which other frameworks keep their migrations.
OF_OTHERS = {
    "__EFMigrationsHistory",
    "_prisma_migrations",
    "alembic_version",
    "django_migrations",
    "doctrine_migration_versions",
    "flyway_schema_history",
    "goose_db_version",
    "knex_migrations",
    "SequelizeMeta",
}


def wanted(facts: Facts, settings: Settings) -> Schema | None:
    """The migrations of the Lago that runs: those in its image, else those of its version in the settings or in the table."""
    image = facts.process(facts.running(API))
    if image.migration_count and image.migrations:
        return Schema(rows_for(image.migration_count, image.migrations[0]), image.migrations[-1])
    version = settings.deployment.version
    release = releases().get(numbers_in(version) or ())
    # Where a release has its old migrations in one, how many a database has depends on where it began.
    known = release and release.tag == version and release.numbers < FOLDED_IN
    own = Schema(release.migrations, release.newest_migration) if release and known else None
    return settings.schema.get(version, own)


def never_migrated(facts: Facts) -> bool:
    """Whether the database has no schema_migrations at all: PostgreSQL says so, it is not just missing an answer."""
    database = facts.database
    return bool(database and database.migrations is None and "schema_migrations" in facts.database_error)


def is_not_the_images(facts: Facts, settings: Settings) -> bool:
    """Whether the database has other migrations than the Lago that runs; False where either is not known."""
    needed, has = wanted(facts, settings), facts.database.migrations if facts.database else None
    if needed is None or has is None:
        return needed is not None and never_migrated(facts)
    if has.latest != needed.latest or has.count is None:
        return True
    return has.count < needed.migrations if _folded(facts) else has.count != needed.migrations


def _folded(facts: Facts) -> bool:
    """Whether the image has its old migrations in one: then nobody knows all those of a database that was migrated step by step."""
    inside = facts.process(facts.running(API)).migrations
    return bool(inside and inside[0] >= FOLDED_MIGRATION)


@registry.check(phase=2, errors={"migrate-failed": "The migration container has finished with exit code 0."})
def migration_has_finished(facts: Facts) -> Iterator[Finding]:
    """The container that migrates the database has run to its end. Its exit code 0 alone proves nothing."""
    containers = facts.of_role(MIGRATE)
    if not containers:
        raise Unknown(
            "there is no migration container; another check judges the schema itself",
            why="there is no migration container",
        )
    key_lets_migrate(facts)
    container = containers[-1]
    if container.running:
        what = f"is still running, {since(facts.started_at(container), facts.host_clock)}"
    elif container.status == "created" or container.exit_code:
        what = diagnosis.symptom(container) or f"has exited with code {container.exit_code}"
    else:
        return
    yield diagnosis.finding(facts, container, "migrate-failed", what)


@registry.check(
    phase=2,
    errors={"schema-not-the-images": "The database has exactly the migrations of the image that runs."},
)
def is_the_images(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The number and the latest of the database's migrations are those in the API's image.

    /health stays green on a wrong schema: it checks nothing but the connection.
    """
    database = availability.database(facts)
    key_lets_migrate(facts)
    needed = wanted(facts, settings)
    if database.migrations is None:
        database_trouble.must_be_without(facts, "PostgreSQL did not report its migrations")
    if never_migrated(facts):
        yield _finding("the database has no schema_migrations at all: it was never migrated")
    elif database.migrations is None:
        raise Unknown(
            f"PostgreSQL did not report its migrations: {facts.database_error or 'no answer'}",
            fix="run again",
        )
    elif needed is None:
        raise Unknown(
            "the image does not list its migrations, and its version is not known",
            fix="set deployment.version in settings.toml to the release that runs",
        )
    elif is_not_the_images(facts, settings):
        yield _finding(
            f"the database has {database.migrations.count} migrations up to {database.migrations.latest}, "
            f"this Lago needs {needed.migrations} up to {needed.latest}"
        )


def key_lets_migrate(facts: Facts) -> None:
    if trouble := diagnosis.key_trouble(facts):
        raise Blocked(trouble[1].id, "migrations can't run")


def _finding(problem: str) -> Finding:
    return Finding(
        id="schema-not-the-images",
        role=DB,
        problem=problem,
        impact="/health stays green, and requests that touch what is missing answer 500",
        fix="run docker exec lago-api bundle exec rails db:migrate and read its first error; the exit code of "
        "migrate.sh proves nothing",
    )


# Its id is that of the rule for two applications that are configured with one database (rules/database.py).
def is_lagos_alone(facts: Facts) -> Iterator[Finding]:
    """Lago's schema holds no migration table of another framework."""
    tables = availability.database(facts).tables
    if tables is None:
        database_trouble.must_be_without(facts, "PostgreSQL did not list the tables in Lago's schema")
        raise Unknown("PostgreSQL did not list the tables in Lago's schema", fix="run again")
    for name in sorted(OF_OTHERS & set(tables)):
        yield Finding(
            id="shared-database",
            role=DB,
            severity=Severity.WARNING,
            problem=f"another application migrates the same schema: it holds the table {name}",
            impact="half-run migrations, and logins that answer 500 while /health is green",
            fix="give each application its own database, or at least its own schema",
        )
