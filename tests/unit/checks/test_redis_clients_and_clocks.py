"""Who is connected to Redis, two clocks, and how much room there is: red, green, and unknown."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import clocks, processes, redis, redis_clients, redis_room
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.redis_answers import (
    RedisAnswers,
    RedisClient,
    RedisDatabase,
    SidekiqInfo,
    SidekiqProcess,
)
from lago_acceptance.model.deployment import Service
from tests.support.facts import NOW, SETTINGS, container, facts, ids, stamp

OWN = "a" * 12
OTHERS = (
    container("clock", id="c1", name="other-clock-1", project="other", addresses={"shared": "172.30.0.7"}),
    container("worker", id="w1", name="other-worker-1", project="other", addresses={"shared": "172.30.0.8"}),
    container("gateway", id="g1", name="gateway", project="brain", addresses={"shared": "172.30.0.9"}),
    container(None, id="x1", name="exporter", project="tools", addresses={"shared": "172.30.0.10"}),
)


def seen(*clients: RedisClient, info: dict[str, str] | None = None, **more):
    worker = container("worker", id=OWN * 2, addresses={"lago": "172.30.0.3"}, started_at=stamp(900))
    process = SidekiqProcess(SidekiqInfo(("default",), hostname=OWN), NOW)
    database = RedisDatabase(0, (process,), (), (), 1, 0)
    answers = RedisAnswers(clients=clients or None, databases=(database,), info=info or {})
    lago = (
        container("redis"),
        container("api", addresses={"lago": "172.30.0.2"}),
        worker,
        container("clock"),
    )
    return facts(*lago, **{"others": OTHERS, "redis": answers, **more})


def client(address: str, **more) -> RedisClient:
    return RedisClient(address=address, **{"database": 0, "command": "get", "age": 4000, **more})


@pytest.mark.parametrize(
    ("given", "expected", "words"),
    [
        (client("172.30.0.2"), [], ""),
        (client("172.30.0.9"), [], ""),
        (client("127.0.0.1"), [], ""),
        (client("::1"), [], ""),
        (client(""), [], ""),
        (client("::ffff:172.30.0.3"), [], ""),
        (client("172.30.0.7"), ["clock-of-another"], "other-clock-1 of the project other (172.30.0.7)"),
        (client("172.30.0.8"), ["redis-used-by-another-lago"], "1 hour 6 min"),
        (client("10.9.8.7", command="brpop"), ["redis-used-by-another-lago"], "no container of this host"),
        (client("10.9.8.7", name="cron"), ["redis-client-unknown"], "10.9.8.7 (cron)"),
        (client("172.30.0.10", database=5), ["redis-shared"], "in database 5"),
        (client("172.30.0.7", database=5), ["redis-shared"], "in database 5"),
        (client("no address"), [], ""),
    ],
)
def test_a_client_belongs_to_somebody(given, expected, words):
    found = list(redis_clients.belong_to_the_deployment(seen(given), SETTINGS))
    assert ids(found) == expected and all(words in each.problem for each in found)


@pytest.mark.parametrize("name", ["10.9.8.7", "10.0.0.0/8", "cron"])
def test_a_client_may_be_named(name):
    deployment = msgspec.structs.replace(SETTINGS.deployment, clients=("nobody", name))
    settings = msgspec.structs.replace(SETTINGS, deployment=deployment)
    assert list(redis_clients.belong_to_the_deployment(seen(client("10.9.8.7", name="cron")), settings)) == []


def test_a_worker_that_is_told_already_is_no_second_red():
    process = SidekiqProcess(SidekiqInfo(("default",), hostname="w1"), NOW, "w1:1:x")
    answers = msgspec.structs.replace(
        seen(client("172.30.0.8"), client("172.30.0.3")).redis,
        databases=(RedisDatabase(0, (process,), (), (), 1, 0),),
    )
    found = seen(redis=answers)
    assert ids(processes.are_the_deployments_own(found, SETTINGS)) == ["worker-of-another"]
    assert ids(redis_clients.belong_to_the_deployment(found, SETTINGS)) == []


@pytest.mark.parametrize(
    ("hostname", "named", "red"),
    [
        ("w1", (), True),
        ("w1", ("other-worker-1",), False),
        ("w1", ("10.0.0.0/8",), True),
        ("d" * 12, (), True),
        ("d" * 12, ("d" * 12,), False),
        ("d" * 12, ("10.0.0.0/8",), False),
        ("d" * 12, ("10.1.0.0/16",), True),
    ],
)
def test_a_worker_elsewhere_may_be_named(hostname, named, red):
    process = SidekiqProcess(SidekiqInfo(("default",), hostname=hostname), NOW, f"{hostname}:1:x")
    given = seen(client("10.9.8.7"), client("172.30.0.3"))
    answers = msgspec.structs.replace(given.redis, databases=(RedisDatabase(0, (process,), (), (), 1, 0),))
    deployment = msgspec.structs.replace(SETTINGS.deployment, clients=named)
    settings = msgspec.structs.replace(SETTINGS, deployment=deployment)
    found = processes.are_the_deployments_own(seen(redis=answers), settings)
    assert ids(found) == (["worker-of-another"] if red else [])


def test_a_redis_that_lists_no_clients_is_unknown():
    with pytest.raises(Unknown, match="did not list its clients"):
        list(redis_clients.belong_to_the_deployment(seen(), SETTINGS))
    with pytest.raises(Blocked, match="redis-refuses-lago"):
        list(redis_clients.belong_to_the_deployment(seen(redis=None, redis_error="NOAUTH"), SETTINGS))


def test_a_worker_that_works_elsewhere():
    second = container(
        "worker", id="b" * 24, name="lago-worker-2", addresses={"lago": "172.30.0.4"}, started_at=stamp(900)
    )
    young = msgspec.structs.replace(second, started_at=stamp(60))
    whole = seen(client("172.30.0.3"))

    def found(worker, *more):
        given = msgspec.structs.replace(
            whole,
            containers=(*whole.containers, worker),
            redis=msgspec.structs.replace(whole.redis, clients=(*whole.redis.clients, *more)),
        )
        return ids(processes.are_the_deployments_own(given, SETTINGS))

    assert found(second) == ["worker-not-connected"]
    assert found(young) == found(second, client("172.30.0.4")) == found(second, client("fd00::4")) == []


def logged(clock: list[float], worker: list[float], **more):
    """Logs of the last two hours with these ticks (seconds ago)."""
    tick = "[ActiveJob] Enqueued Clock::ActivateSubscriptionsJob (Job ID: x) to Sidekiq(clock)"
    begun = (
        '{"ts":"x","lvl":"INFO","msg":"start","ctx":{"class":"Clock::ActivateSubscriptionsJob","jid":"x"}}'
    )
    texts = {
        "clock": [(7200, "Starting clock"), *((ago, tick) for ago in clock)],
        OWN * 2: [(7200, "Booted"), *((ago, begun) for ago in worker)],
    }
    logs = {name: "\n".join(f"{stamp(ago)} {text}" for ago, text in lines) for name, lines in texts.items()}
    return seen(logs=logs, **more)


EVERY_FIVE = [float(ago) for ago in range(3300, 0, -300)]


@pytest.mark.parametrize(
    ("begun", "red"),
    [
        ([ago - 1 for ago in EVERY_FIVE], False),
        ([ago - 1 for ago in EVERY_FIVE] + [ago - 150 for ago in EVERY_FIVE], True),
        ([ago - 1 for ago in EVERY_FIVE] + [ago - 2 for ago in EVERY_FIVE], True),
        ([ago - 1 for ago in EVERY_FIVE] + [500, 499, 498, 497, 496], False),
        ([ago - 1 for ago in EVERY_FIVE] + [650], False),
        (EVERY_FIVE[3:], False),
        ([], False),
    ],
    ids=["one", "another phase", "the same phase", "a backlog", "one more", "later", "none"],
)
def test_two_clocks_tick(begun, red):
    found = list(clocks.tick_alone(logged(EVERY_FIVE, sorted(begun, reverse=True))))
    assert ids(found) == (["clock-more-than-once"] if red else [])


def test_two_clocks_of_the_project_are_told_elsewhere():
    found = logged(EVERY_FIVE, [])
    two = msgspec.structs.replace(found, containers=(*found.containers, container("clock", id="second")))
    with pytest.raises(Blocked, match="service-more-than-once"):
        list(clocks.tick_alone(two))


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"used_memory": "80", "maxmemory": "100"}, []),
        ({"used_memory": "90", "maxmemory": "100"}, ["redis-memory-nearly-full"]),
        ({"used_memory": "90", "maxmemory": "0", "used_memory_rss": "950"}, ["redis-memory-nearly-full"]),
        ({"connected_clients": "9", "maxclients": "10"}, ["redis-clients-nearly-full"]),
        (
            {"connected_clients": "1", "maxclients": "10", "rejected_connections": "3"},
            ["redis-clients-rejected"],
        ),
        ({"used_memory": "many", "maxmemory": "-1"}, []),
    ],
)
def test_the_room_that_redis_has(info, expected):
    limited = Service(name="lago-redis", image="", role="redis", memory=1000)
    given = seen(info={"redis_version": "7", **info})
    given = msgspec.structs.replace(
        given, containers=(container("redis", service=limited), *given.containers[1:])
    )
    assert ids(redis_room.has_room(given)) == expected


def test_evicted_keys_are_told_under_todays_policy():
    kept = {"evicted_keys": "7", "uptime_in_seconds": "7200"}
    settings = {"save": "60 1", "appendonly": "no"}
    answers = RedisAnswers(policy="noeviction", info=kept, settings=settings)
    (found,) = redis_room.keeps_jobs(seen(redis=answers))
    assert (
        found.id == "redis-evicted-keys" and "7 keys since" in found.problem and "(2 hours)" in found.problem
    )
    evicting = msgspec.structs.replace(answers, policy="allkeys-lru")
    assert ids(redis_room.keeps_jobs(seen(redis=evicting))) == []
    (found,) = redis.answers_and_never_evicts(seen(redis=evicting))
    assert found.id == "redis-evicts" and "evicted 7 keys" in found.problem
