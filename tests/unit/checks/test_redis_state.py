"""What keeps Redis from taking jobs shows in its answer to a write, and by INFO where a write can't be tried."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import availability, clock, redis_writes
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.redis_answers import RedisAnswers
from tests.support.facts import NOW, container, facts, ids, lago, stamp

DENIED = {"write": "NOPERM this user has no permissions to access the 'schedule' key"}
PARTLY = {"role": "master", "redis_version": "7.2.4"}


def refusing(answers: RedisAnswers, **more):
    return facts(*lago("redis"), container("redis", name="shop-redis-1"), redis=answers, **more)


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("write", "MISCONF Errors writing to the AOF file: No space left on device", "redis-aof-fails"),
        ("write", "MISCONF Redis is configured to save RDB snapshots, but", "redis-cannot-save"),
        ("write", "OOM command not allowed when used memory > 'maxmemory'.", "redis-memory-full"),
        ("write", "READONLY You can't write against a read only replica.", "redis-is-a-replica"),
        ("sidekiq", "MASTERDOWN Link with MASTER is down", "redis-is-a-replica"),
        ("write", "NOREPLICAS Not enough good replicas to write.", "redis-lacks-replicas"),
        ("info", "LOADING Redis is loading the dataset in memory", "redis-loading"),
        ("info", "BUSY Redis is busy running a script.", "redis-script-runs"),
        ("info", "ERR max number of clients reached", "redis-clients-full"),
        ("write", "NOPERM User lago has no permissions to run the 'zadd' command", "redis-forbids-writes"),
        ("write", "NOPERM this user has no permissions to access one of the keys", ""),
        ("write", "WRONGTYPE Operation against a key holding the wrong kind of value", ""),
        ("write", "ERR unknown command 'ZADD', with args beginning with:", ""),
    ],
)
def test_the_answer_to_a_write_tells_why(name, said, expected):
    seen = refusing(RedisAnswers(errors={name: said}, info=PARTLY))
    assert availability.redis_trouble(seen) == expected
    found = list(redis_writes.takes_jobs(seen))
    assert ids(found) == ([expected] if expected else [])
    assert all("shop-redis-1" in each.fix or each.id == "redis-memory-full" for each in found)


@pytest.mark.parametrize(
    ("info", "settings", "expected"),
    [
        ({}, {}, ""),
        ({"loading": "1"}, {}, "redis-loading"),
        ({"role": "slave"}, {}, "redis-is-a-replica"),
        ({"role": "slave", "slave_read_only": "0"}, {}, ""),
        ({"aof_enabled": "1", "aof_last_write_status": "err"}, {}, "redis-aof-fails"),
        ({"aof_enabled": "0", "aof_last_write_status": "err"}, {}, ""),
        ({"rdb_last_bgsave_status": "err"}, {}, "redis-cannot-save"),
        ({"rdb_last_bgsave_status": "err"}, {"stop-writes-on-bgsave-error": "no", "save": "60 1"}, ""),
        ({"rdb_last_bgsave_status": "err"}, {"stop-writes-on-bgsave-error": "yes", "save": ""}, ""),
        ({"used_memory": "10", "maxmemory": "9"}, {}, "redis-memory-full"),
        ({"used_memory": "10", "maxmemory": "0"}, {}, ""),
    ],
)
def test_info_tells_why_where_no_write_is_allowed(info, settings, expected):
    answers = RedisAnswers(errors=DENIED, info={**PARTLY, **info}, settings=settings, policy="noeviction")
    assert availability.redis_trouble(refusing(answers)) == expected


def test_since_when_and_how_much_is_told():
    info = {**PARTLY, "rdb_last_save_time": str(int(NOW) - 11_520), "master_link_down_since_seconds": "840"}
    said = RedisAnswers(errors={"write": "MISCONF Redis is configured to save RDB snapshots"}, info=info)
    (found,) = redis_writes.takes_jobs(refusing(said))
    assert (
        "of 2026-11-25 06:34 UTC, 3 hours 12 min ago" in found.problem
        and "`docker exec shop-redis-1 redis-cli BGSAVE`" in found.fix
    )
    said = RedisAnswers(errors={"write": "READONLY You can't"}, info={**info, "master_host": "10.0.0.9"})
    (found,) = redis_writes.takes_jobs(refusing(said))
    assert "10.0.0.9" in found.problem and "14 min" in found.problem


def test_a_clock_that_redis_refuses_is_blocked_by_it():
    failed = "[ActiveJob] Failed enqueuing Clock::ActivateSubscriptionsJob to Sidekiq(clock): MISCONF"
    logs = {"clock": f"{stamp(20)} Triggering 'schedule:activate_subscriptions'\n{stamp(19)} {failed}"}
    said = RedisAnswers(errors={"write": "READONLY You can't write"}, info=PARTLY)
    with pytest.raises(Blocked, match="redis-is-a-replica"):
        list(clock.ticks(refusing(said, logs=logs)))
    assert ids(clock.ticks(refusing(RedisAnswers(info=PARTLY), logs=logs))) == ["clock-stands-still"]
