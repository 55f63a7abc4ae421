"""Phase 2: the database and Redis are the right ones, hold their data where it is kept, and let Lago in."""

from __future__ import annotations

import re

import pytest

from lago_acceptance.checks import availability, diagnosis, schema
from lago_acceptance.core.findings import Finding, Red, Severity
from lago_acceptance.core.roles import API, CLOCK, DB, MIGRATE, REDIS, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.lago import log_causes

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]

# Variables that processes of one Lago must agree on: which processes read them, and what comes of it when they don't.
EACH, AT_WORK = (API, WORKER, CLOCK, MIGRATE), (API, WORKER)
# The schemes of stores' URLs, and the ports that they mean.
PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
AGREED = {
    "DATABASE_URL": (EACH, "they work on different databases: what one writes the other never sees"),
    "REDIS_URL": (
        EACH,
        "what the API enqueues, the worker never reads: nothing is billed and everything looks well",
    ),
    "LAGO_REDIS_CACHE_URL": (
        (API, WORKER, CLOCK),
        "the worker can't invalidate the API's cache: usage stands still until the period ends",
    ),
    "SECRET_KEY_BASE": (AT_WORK, "sessions and links made by one are refused by the other"),
    "LAGO_ENCRYPTION_PRIMARY_KEY": (AT_WORK, "what one encrypts, the other can't read"),
    "LAGO_API_URL": (AT_WORK, "links and signatures differ from process to process"),
}


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


@pytest.fixture(scope="module")
def database(facts):
    """What PostgreSQL answered to the app's own URL."""
    return availability.database(facts)


def test_the_database_lets_lago_in_with_its_own_url(facts):
    availability.must_be_asked(facts, DB, facts.database_error)
    if facts.database is None:
        known = log_causes.cause_of([facts.database_error], log_causes.OTHER_CAUSES)
        raise Red(
            Finding(
                id="database-refuses-lago",
                role=DB,
                problem="a login with Lago's own DATABASE_URL fails: "
                f"{facts.database_error or 'no answer came'}",
                impact="every request that needs data answers 500, and no job can run",
                fix=known[0].fix
                if known
                else "make DATABASE_URL name this service, its database, its user and its password",
            )
        )


def test_the_database_lies_on_its_volume(facts, database):
    container = facts.running(DB)
    directory = database.directory
    if container is None or not directory:
        raise Unknown("PostgreSQL did not say where its data is")
    mount = container.service.mount_at(directory)
    if mount is None or (mount.kind == "volume" and re.fullmatch(r"[0-9a-f]{64}", mount.source)):
        raise Red(
            Finding(
                id="pgdata-not-on-volume",
                role=DB,
                service=container.service.name,
                problem=f"PostgreSQL keeps its data in {directory}, and "
                + ("no volume is mounted there" if mount is None else "that is an anonymous volume"),
                impact="the next recreate of the container comes up green with an empty database",
                fix="mount the named volume at /var/lib/postgresql/data, or set PGDATA to where it is "
                "mounted; dump first",
            )
        )


def test_migrate_has_finished(facts):
    containers = facts.of_role(MIGRATE)
    if not containers:
        raise Unknown("no container is there that migrates; the schema itself is judged by its own check")
    container = containers[-1]
    if trouble := diagnosis.key_trouble(facts):
        raise Blocked(trouble[1].id, "migrations can't run")
    if container.running:
        what = "still runs"
    elif container.status == "created" or container.exit_code:
        what = diagnosis.symptom(container)
    else:
        return
    raise Red(diagnosis.finding(container, "migrate-failed", what, facts.log(container)))


def test_the_schema_is_the_images(facts, database, settings):
    if trouble := diagnosis.key_trouble(facts):
        raise Blocked(trouble[1].id, "migrations can't run")
    if database.migrations is None:
        raise Red(schema.finding("the database has no schema_migrations at all: it was never migrated"))
    wanted = schema.wanted(facts, settings)
    if wanted is None:
        raise Unknown("neither the image nor settings.toml says which migrations this version has")
    has = database.migrations
    if schema.is_not_the_images(facts, settings):
        raise Red(
            schema.finding(
                f"the database has {has.count} migrations up to {has.latest}, "
                f"this Lago needs {wanted.migrations} up to {wanted.latest}"
            )
        )


def test_the_schema_is_lagos_alone(database, judge):
    if database.tables is None:
        raise Unknown("PostgreSQL did not say which tables are in Lago's schema")
    others = sorted(OF_OTHERS & set(database.tables))
    judge(
        Finding(
            id="shared-database",
            role=DB,
            severity=Severity.WARNING,
            problem=f"another application migrates the same schema: it holds {name}",
            impact="half-run migrations, and logins that answer 500 while /health is green",
            fix="make a database, or at least a schema, of its own for each",
        )
        for name in others
    )


def test_redis_answers_and_never_evicts(facts):
    availability.must_be_asked(facts, REDIS, facts.redis_error)
    if facts.redis is None:
        raise Red(
            Finding(
                id="redis-refuses-lago",
                role=REDIS,
                problem="Redis does not answer with Lago's own password: "
                f"{facts.redis_error or 'nothing was said'}",
                impact="no job is enqueued or read: nothing is billed",
                fix="make the password in REDIS_URL (or REDIS_PASSWORD) the one that Redis is started with",
            )
        )
    if facts.redis.policy != "noeviction":
        raise Red(
            Finding(
                id="redis-evicts",
                role=REDIS,
                problem=f"its maxmemory-policy is {facts.redis['policy']}",
                impact="when its memory is full it drops jobs: invoices are not made, and nobody is told",
                fix="start it with --maxmemory-policy noeviction",
            )
        )


def test_lagos_processes_agree(facts, judge):
    if len(facts.of_role(*EACH)) < 2:
        raise Blocked("service-missing", "there are not two processes of Lago to compare")
    findings = []
    for name, (roles, consequence) in AGREED.items():
        values = {}
        for container in facts.of_role(*roles):
            values.setdefault(_meant(container.service.value(name)), []).append(container.service.name)
        if len(values) > 1:
            findings.append(
                Finding(
                    id="services-disagree",
                    problem=f"{name} differs: "
                    f"{' against '.join(', '.join(names) for names in values.values())}",
                    impact=consequence,
                    fix=f"give {name} to {', '.join(roles)} from one place (a YAML anchor), "
                    "and recreate them",
                )
            )
    judge(findings)


def _meant(value: str) -> tuple | str:
    """What a variable comes to: in a store's URL the usual port and database may stand or not, and tuning differ."""
    url = service_url(value)
    if url is None or url.scheme not in PORTS:
        return value
    schema = [each for each in url.query.split("&") if "search_path" in each]
    return (url.port or PORTS[url.scheme], url.host, url.database, url.user, url.password, *schema)
