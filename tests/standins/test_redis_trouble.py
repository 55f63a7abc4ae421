"""Each fault of Redis is made for real, asked for by what collect.sh runs, and told under its id and no other."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lago_acceptance.checks import availability, redis, redis_clients, redis_room, redis_writes
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.types import Facts
from lago_acceptance.images.resolve import stand_in
from tests.support.asked_redis import Server, asked, until
from tests.support.containers import running
from tests.support.facts import SETTINGS, container, facts
from tests.support.patience import PATIENCE

CHECKS = (redis.answers_and_never_evicts, redis_writes.takes_jobs, redis_room.keeps_jobs, redis_room.has_room)
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


def test_a_password_that_changed_is_a_refusal(server):
    does(server, "CONFIG SET requirepass other")
    try:
        for given in ({}, {"password": "wrong"}, {"user": "lago", "password": "other"}):
            found = seen(server, **given)
            assert found.redis is None and availability.redis_trouble(found) == "redis-refuses-lago"
            named, held = told(found)
            assert named == ["redis-refuses-lago"] and set(held) == {"redis-refuses-lago"}
        assert told(seen(server, password="other")) == ([], [])
    finally:
        does(server, "CONFIG SET requirepass ")


def test_a_password_that_is_not_needed_harms_nothing(server):
    """Lago's client says HELLO with it, which Redis accepts."""
    found = seen(server, password="superfluous")
    assert told(found) == ([], []) and found.redis.run_id


def test_a_user_who_may_not_ask_is_no_red(server):
    """What only this suite needs: unknown, with the reason. A worker that works shows in nothing then."""
    does(server, "ACL SETUSER default -eval -eval_ro -info -client -config")
    try:
        found = seen(server)
    finally:
        does(server, "ACL SETUSER default +@all")
    named, held = told(found)
    assert named == [] and len(held) == 3
    assert all("NOPERM" in each and "'info' command" in each for each in held)
    assert availability.redis_trouble(found) == ""
    with pytest.raises(Unknown, match="eval_ro"):
        availability.jobs(found)
    with pytest.raises(Unknown, match="list its clients"):
        list(redis_clients.belong_to_the_deployment(found, SETTINGS))


def test_a_user_who_may_not_select_is_known_in_the_first_database(server):
    does(server, "ACL SETUSER default -select")
    try:
        first, second = seen(server), seen(server, database=2)
    finally:
        does(server, "ACL SETUSER default +@all")
    assert told(first) == ([], []) and sidekiq.as_enqueued_to(first) is not None
    numbers = {each.number: each.queues for each in second.redis.databases}
    assert numbers == {0: (), 2: None}


def test_a_script_without_end(server):
    does(server, "CONFIG SET busy-reply-threshold 50")
    with socket.create_connection((server.container.address, 6379), PATIENCE) as other:
        other.sendall(b"EVAL 'while true do end' 0\r\n")
        until(lambda: server("PING").startswith("-BUSY"))
        found = seen(server)
        does(server, "SCRIPT KILL")
        until(lambda: server("PING") == "+PONG")
    named, held = told(found)
    assert named == ["redis-script-runs"] and set(held) == {"redis-script-runs"}


@pytest.mark.parametrize("password", ["", "given"])
def test_no_connection_is_left(server, password):
    does(server, "CONFIG SET maxclients 1")
    try:
        found = seen(server, password=password)
    finally:
        does(server, "CONFIG SET maxclients 10000", "CONFIG RESETSTAT")
    named, held = told(found)
    assert named == ["redis-clients-full"] and set(held) == {"redis-clients-full"}


def test_clients_are_seen_by_their_addresses(server):
    server("CLIENT", "SETNAME", "of-a-test")
    clients = {each.address: each for each in seen(server).redis.clients}
    own = clients[server.container.gateway]
    assert (own.name, own.database, own.command.partition("|")[0]) == ("of-a-test", 0, "client")
    assert "127.0.0.1" in clients


def test_commands_that_were_renamed_are_no_red():
    renamed = [
        word
        for name in ("EVAL", "EVAL_RO", "INFO", "CLIENT", "CONFIG")
        for word in ("--rename-command", name, "")
    ]
    with running(stand_in("redis"), "redis-server", *renamed) as started:
        found = seen(Server(started))
    named, held = told(found)
    assert named == [] and held and all("unknown command" in each for each in held)
    with pytest.raises(Unknown, match="unknown command"):
        availability.jobs(found)
