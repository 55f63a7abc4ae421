"""Each check of PostgreSQL, its schema and Redis is seen red and green, and unknown where an answer lacks what it needs."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import database, redis, schema
from lago_acceptance.core.settings import Deployment, Schema
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.model.deployment import Mount, Service
from tests.support.facts import SETTINGS, container, facts, ids, lago

IMAGE = {"api": LagoProcess(migrations=("1", "20"), migration_count=2)}
NEVER = 'ERROR:  relation "schema_migrations" does not exist'


def asked(answers: DatabaseAnswers | None, error: str = "", **more):
    return facts(*lago(), database=answers, database_error=error, **more)


def test_a_database_that_refuses_lago():
    assert list(database.lets_lago_in(asked(DatabaseAnswers()))) == []
    (found,) = database.lets_lago_in(asked(None, "FATAL: password authentication failed"))
    assert found.id == "database-refuses-lago" and "ALTER USER" in found.fix
    (found,) = database.lets_lago_in(asked(None, "something else"))
    assert "DATABASE_URL" in found.fix
    (found,) = database.lets_lago_in(asked(None, "no answer within 60 s"))
    assert "docker top lago-db-1" in found.fix and "DATABASE_URL name" not in found.fix


@pytest.mark.parametrize(
    ("mount", "red"),
    [
        (Mount("volume", "lago_db", "/data", False), False),
        (Mount("bind", "/srv/db", "/data", False), False),
        (Mount("volume", "f" * 64, "/data", False), True),
        (Mount("volume", "lago_db", "/other", False), True),
    ],
)
def test_data_that_are_not_on_a_volume(mount, red):
    db = container("db", service=Service(name="db", image="", role="db", mounts=(mount,)))
    found = database.data_are_on_a_volume(facts(db, database=DatabaseAnswers(directory="/data")))
    assert ids(found) == (["pgdata-not-on-volume"] if red else [])


def test_a_database_that_does_not_name_its_directory_is_unknown():
    with pytest.raises(Unknown):
        list(database.data_are_on_a_volume(asked(DatabaseAnswers())))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"running": True}, "is still running"),
        ({"running": False, "status": "exited", "exit_code": 1}, "has exited with code 1"),
        ({"running": False, "status": "created"}, "never started"),
        ({"running": False, "status": "exited"}, None),
    ],
)
def test_a_migration_that_has_not_finished(state, words):
    found = list(schema.migration_has_finished(facts(container("migrate", **state))))
    assert [(each.id, words in each.problem) for each in found] == (
        [("migrate-failed", True)] if words else []
    )


def test_no_migration_container_is_unknown():
    with pytest.raises(Unknown):
        list(schema.migration_has_finished(facts(*lago("migrate"))))


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        (DatabaseAnswers(migrations=AppliedMigrations(2, "20")), "", None),
        (
            DatabaseAnswers(migrations=AppliedMigrations(1, "1")),
            "",
            "has 1 migrations up to 1, this Lago needs 2",
        ),
        (DatabaseAnswers(directory="/data"), NEVER, "was never migrated"),
    ],
)
def test_a_schema_that_is_not_the_images(answers, error, words):
    seen = asked(answers, error, lago=IMAGE)
    found = list(schema.is_the_images(seen, SETTINGS))
    assert [(each.id, words in each.problem) for each in found] == (
        [("schema-not-the-images", True)] if words else []
    )
    assert schema.is_not_the_images(seen, SETTINGS) is bool(words)


@pytest.mark.parametrize(
    ("count", "found"),
    [(676, []), (677, []), (675, ["schema-not-the-images"]), (227, ["schema-not-the-images"])],
)
def test_an_image_whose_first_file_folds_others_has_more_rows_than_files(count, found):
    image = LagoProcess(migrations=("20250122112050", "20250611083925"), migration_count=227)
    applied = AppliedMigrations(count=count, latest="20250611083925")
    seen = asked(DatabaseAnswers(directory="/data", migrations=applied), lago={"api": image})
    assert [each.id for each in schema.is_the_images(seen, SETTINGS)] == found


def test_a_schema_that_is_not_known():
    with pytest.raises(Unknown, match="did not report its migrations"):
        list(schema.is_the_images(asked(DatabaseAnswers(directory="/data"), "timeout", lago=IMAGE), SETTINGS))
    assert not schema.is_not_the_images(asked(DatabaseAnswers(), lago=IMAGE), SETTINGS)
    assert schema.wanted(asked(None), SETTINGS) == Schema(408, "20241119110219")
    own = msgspec.structs.replace(SETTINGS, schema={"v1.16.0": Schema(409, "20250101000000")})
    assert schema.wanted(asked(None), own) == own.schema["v1.16.0"]
    unknown = msgspec.structs.replace(SETTINGS, deployment=Deployment(version="of-our-own"))
    assert schema.wanted(asked(None), unknown) is None
    with pytest.raises(Unknown, match="its version is not known"):
        list(schema.is_the_images(asked(DatabaseAnswers(migrations=AppliedMigrations(1, "1"))), unknown))
    assert schema.wanted(asked(None, lago={"api": LagoProcess(migration_count=2)}), SETTINGS).migrations != 2


def test_redis_that_refuses_or_evicts():
    def asked_redis(answers: RedisAnswers | None):
        return list(
            redis.answers_and_never_evicts(facts(container("redis"), redis=answers, redis_error="NOAUTH"))
        )

    assert asked_redis(RedisAnswers(policy="noeviction")) == []
    assert ids(asked_redis(RedisAnswers(policy="allkeys-lru"))) == ["redis-evicts"]
    (found,) = asked_redis(None)
    assert found.id == "redis-refuses-lago" and "NOAUTH" in found.problem
    (found,) = redis.answers_and_never_evicts(
        facts(container("redis"), redis=None, redis_error="no answer within 36 s")
    )
    assert "does not answer: no answer within 36 s" in found.problem and "CLIENT UNPAUSE" in found.fix
    with pytest.raises(Unknown, match="maxmemory-policy"):
        asked_redis(RedisAnswers())
    with pytest.raises(Blocked, match="service-down"):
        list(redis.answers_and_never_evicts(facts(container("redis", running=False))))
