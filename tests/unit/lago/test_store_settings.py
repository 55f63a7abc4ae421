"""What PostgreSQL and Redis are set to, in the spellings that they take."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.lago.store_settings import (
    postgres_bytes,
    postgres_settings,
    redis_bytes,
    redis_settings,
)
from lago_acceptance.model.deployment import Model, Mount, Service

MODEL = Model(observed=False, project="lago")


def store(*command: str, **environment: str) -> Service:
    return Service(name="store", image="any", role=None, command=command, environment=dict(environment))


@pytest.mark.parametrize(
    ("text", "size"),
    [("16384", 2**27), ("128MB", 2**27), ("'1GB'", 2**30), ("1 GB", 2**30), ("2XB", None), ("", None)],
)
def test_memory_of_postgresql(text, size):
    assert postgres_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [("256mb", 2**28), ("1GB", 2**30), ("512m", 512 * 10**6), ("1024", 1024), ("0", None), ("50%", None)],
)
def test_memory_of_redis(text, size):
    assert redis_bytes(text) == size


@pytest.mark.parametrize(
    "command",
    [
        ("postgres", "-c", "fsync=off"),
        ("-c", "fsync=off"),
        ("postgres", "-cfsync=off"),
        ("postgres", "--fsync=off"),
        ("postgres", "-F"),
        ("docker-entrypoint.sh", "postgres", "-c", "fsync = off"),
        ("sh", "-c", "exec docker-entrypoint.sh postgres -c fsync=off"),
        ("gosu", "postgres", "postgres", "-c", "fsync=off"),
    ],
)
def test_a_setting_of_postgresql_in_its_spellings(command):
    assert postgres_settings(store(*command), MODEL).get("fsync") == "off"


def test_the_last_setting_of_postgresql_wins():
    found = postgres_settings(store("postgres", "-c", "fsync=off", "-c", "fsync=on"), MODEL)
    assert found.get("fsync") == "on"


def test_another_program_of_a_container_sets_nothing():
    assert postgres_settings(store("pg_dump", "-F", "c"), MODEL).values == {}


@pytest.mark.parametrize(
    "command",
    [
        ("redis-server", "--save", "", "--appendonly", "no"),
        ("--save", "", "--appendonly", "no"),
        ("sh", "-c", 'redis-server --save "" --appendonly no'),
        ("docker-entrypoint.sh", "redis-server", "--save", "", "--appendonly", "no"),
    ],
)
def test_settings_of_redis_in_their_spellings(command):
    found = redis_settings(store(*command), MODEL)
    assert found.values["save"] == "" and found.get("appendonly") == "no" and found.complete


def test_settings_of_redis_in_a_file_that_is_not_known_are_incomplete():
    mounted = Mount("bind", "/srv/redis.conf", "/etc/redis.conf", read_only=True)
    redis = msgspec.structs.replace(store("redis-server", "/etc/redis.conf"), mounts=(mounted,))
    assert not redis_settings(redis, MODEL).complete


def test_settings_of_redis_in_bitnamis_variables():
    found = redis_settings(
        store(REDIS_EXTRA_FLAGS="--maxmemory-policy allkeys-lru", REDIS_AOF_ENABLED="no"), MODEL
    )
    assert found.get("maxmemory-policy") == "allkeys-lru" and found.get("appendonly") == "no"
