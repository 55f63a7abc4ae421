"""Each fault of Redis is made for real, asked for by what collect.sh runs, and told under its id and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lago_acceptance.checks import availability, redis
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.images.resolve import stand_in
from tests.support.asked_redis import Server, asked, until
from tests.support.containers import running
from tests.support.facts import container, facts

CHECKS = (redis.answers_and_never_evicts, redis.takes_jobs, redis.keeps_jobs, redis.has_room)
STARTED = ("redis-server", "--enable-protected-configs", "yes", "--save", "60 1")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(stand_in("redis"), *STARTED) as started:
        yield Server(started)


def seen(server: Server, **more) -> Facts:
    answers, error = asked(server.container.name, **more)
    return facts(container("redis"), redis=answers, redis_error=error)


def told(found: Facts) -> tuple[list[str], list[str]]:
    """The ids that the checks find, and what blocks the others or is not known to them."""
    named, held = [], []
    for check in CHECKS:
        try:
            for finding in check(found):
                named.append(finding.id)
        except Blocked as blocked:
            held.append(blocked.by)
        except Unknown as unknown:
            held.append(str(unknown))
    return named, held


def failing_snapshot(server: Server) -> None:
    server("CONFIG", "SET", "dir", "/sys")
    server("BGSAVE")
    until(lambda: server.info("rdb_last_bgsave_status") == "err")


def good_snapshot(server: Server) -> None:
    server("CONFIG", "SET", "dir", "/data")
    server("BGSAVE")
    until(lambda: server.info("rdb_last_bgsave_status") == "ok")


REFUSING = {
    "redis-cannot-save": (failing_snapshot, good_snapshot),
    "redis-memory-full": ("CONFIG SET maxmemory 1kb", "CONFIG SET maxmemory 0"),
    "redis-is-a-replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "redis-lacks-replicas": (
        "CONFIG SET min-replicas-to-write 1",
        "CONFIG SET min-replicas-to-write 0",
    ),
    "redis-forbids-writes": ("ACL SETUSER default -@write", "ACL SETUSER default +@all"),
}
OTHERS = {
    "redis-not-persistent": (("CONFIG SET save ",), ("CONFIG SET save 60~1",)),
    "redis-evicts": (
        ("CONFIG SET maxmemory-policy allkeys-lru",),
        ("CONFIG SET maxmemory-policy noeviction",),
    ),
    "redis-protected": (("CONFIG SET protected-mode yes",), ("CONFIG SET protected-mode no",)),
    "redis-forbids-scripts": (("ACL SETUSER default -evalsha",), ("ACL SETUSER default +@all",)),
    "redis-snapshot-failed": (
        ("CONFIG SET stop-writes-on-bgsave-error no", failing_snapshot),
        ("CONFIG SET stop-writes-on-bgsave-error yes", good_snapshot),
    ),
}


def does(server: Server, *steps) -> None:
    for step in steps:
        if callable(step):
            step(server)
        else:
            said = server(*(word.replace("~", " ") for word in step.split(" ")))
            assert said == "+OK", said


def test_a_healthy_redis_is_silent(server):
    found = seen(server)
    assert told(found) == ([], [])
    assert found.redis.run_id == server.info("run_id") and found.redis.errors == {}
    assert availability.redis_trouble(found) == ""


@pytest.mark.parametrize("id", REFUSING)
def test_a_redis_that_refuses_writes_blocks_what_follows(server, id):
    broken, whole = REFUSING[id]
    does(server, broken)
    try:
        found = seen(server)
    finally:
        does(server, whole)
    named, held = told(found)
    assert named == [id] and set(held) <= {id}
    assert availability.redis_trouble(found) == id
    with pytest.raises(Blocked, match=id):
        availability.jobs(found)


@pytest.mark.parametrize("id", OTHERS)
def test_a_redis_that_takes_jobs_and_may_lose_them(server, id):
    broken, whole = OTHERS[id]
    does(server, *broken)
    try:
        found = seen(server)
    finally:
        does(server, *whole)
    assert told(found) == ([id], [])
    assert availability.redis_trouble(found) == ""


def test_what_is_repaired_is_silent_again(server):
    assert told(seen(server)) == ([], [])
