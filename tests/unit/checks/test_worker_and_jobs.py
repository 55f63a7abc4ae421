"""Each check of the worker and its jobs is seen red and green."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import jobs, queues, worker
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.answers import LagoProcess
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.sidekiq_answers import (
    DeadJob,
    RedisDatabase,
    SidekiqInfo,
    SidekiqProcess,
    SidekiqQueue,
)
from lago_acceptance.facts.types import KeyFile
from lago_acceptance.model.deployment import Mount, Service
from tests.support.facts import NOW, SETTINGS, container, facts, ids, lago, stamp

READS = (SidekiqProcess(SidekiqInfo(queues=("default",)), NOW),)


def seen(*without: str, number: int = 0, **data):
    known = {"processes": READS, "queues": (), "dead": (), "processed": 5, "failed": 1, **data}
    return facts(*lago(*without), redis=RedisAnswers(databases=(RedisDatabase(number, **known),)))


def test_a_worker_that_does_not_listen():
    assert list(worker.listens_where_the_api_enqueues(seen())) == []
    (found,) = worker.listens_where_the_api_enqueues(seen(number=2))
    assert found.id == "worker-not-listening" and "one listens to database 2" in found.problem
    silent = (SidekiqProcess(READS[0].info, NOW - 90),)
    assert ids(worker.listens_where_the_api_enqueues(seen(processes=silent))) == ["worker-not-listening"]
    hangs = facts(*lago("worker"), container("worker", health="unhealthy"), redis=seen(processes=()).redis)
    with pytest.raises(Blocked, match="service-down"):
        list(worker.listens_where_the_api_enqueues(hangs))
    with pytest.raises(Blocked, match="no-worker-service"):
        list(worker.listens_where_the_api_enqueues(seen("worker", processes=())))


@pytest.mark.parametrize(
    ("of_worker", "fix"),
    [
        ("redis://redis:6379/0", "docker restart lago-worker-1"),
        ("redis://redis:6379/1", "the same REDIS_URL"),
    ],
)
def test_a_silent_worker_is_restarted_where_its_url_is_right(of_worker, fix):
    urls = {"api": {"REDIS_URL": "redis://redis:6379/0"}, "worker": {"REDIS_URL": of_worker}}
    silent = facts(*lago(**urls), redis=seen(processes=()).redis)
    (found,) = worker.listens_where_the_api_enqueues(silent)
    assert fix in found.fix


@pytest.mark.parametrize(
    ("signals", "stop_signal", "red"),
    [
        (("INT", "TERM", "CHLD"), "", False),
        (("INT", "CHLD"), "", True),
        ((), "SIGTERM", True),
        (("INT",), "SIGINT", False),
        (("INT",), "2", False),
        (("TERM",), "INT", True),
        (None, "", False),
    ],
)
def test_a_worker_whose_process_1_ignores_the_stop_signal(signals, stop_signal, red):
    service = Service(name="lago-worker", image="", role="worker", stop_signal=stop_signal)
    made = facts(container("worker", service=service), lago={"worker": LagoProcess(signals=signals)})
    assert ids(worker.ends_when_it_is_stopped(made)) == (["jobs-lost-at-stop"] if red else [])


def test_a_worker_that_finishes_nothing():
    assert list(worker.has_finished_a_job(seen())) == []
    assert ids(worker.has_finished_a_job(seen(processed=2, failed=2))) == ["worker-idle"]
    with pytest.raises(Blocked, match="no-clock-service"):
        list(worker.has_finished_a_job(seen("clock", processed=0, failed=0)))
    for check in (worker.has_finished_a_job, lambda each: queues.are_read_in_time(each, SETTINGS)):
        with pytest.raises(Blocked, match="worker-not-listening"):
            list(check(seen(processes=())))


@pytest.mark.parametrize(
    ("queue", "words"),
    [
        (SidekiqQueue("default", 3, NOW - 10), None),
        (SidekiqQueue("default", 0, 0.0), None),
        (SidekiqQueue("events", 0, 0.0), None),
        (SidekiqQueue("default", 3, NOW - 10_000), "waiting since 2026-11-25 07:00 UTC (2 hours 46 min)"),
        (SidekiqQueue("events", 1, NOW), "1 jobs are in the queue events, and no worker reads it"),
    ],
)
def test_a_queue_that_is_not_read_in_time(queue, words):
    found = list(queues.are_read_in_time(seen(queues=(queue,)), SETTINGS))
    assert [(each.id, words in each.problem) for each in found] == ([("queue-stuck", True)] if words else [])


def test_a_job_that_died_since_the_last_run():
    dead = (DeadJob("GenerateJob", "boom", NOW - 60),)
    (found,) = jobs.none_died_since(seen(dead=dead), NOW - 120)
    assert found.id == "jobs-died" and "1 GenerateJob died since" in found.problem and "boom" in found.problem
    assert list(jobs.none_died_since(seen(dead=dead), NOW)) == []
    with pytest.raises(Unknown, match="first run against this host: 1 jobs are dead"):
        list(jobs.none_died_since(seen(dead=dead), None))


def test_the_dead_jobs_of_a_fresh_installation_are_none():
    fresh = tuple(DeadJob("MigrationTaskJob", "gone", NOW - each) for each in range(5))
    (found,) = jobs.none_died_since(seen(dead=fresh), 0.0)
    assert found.problem.startswith("1 MigrationTaskJob died:")


@pytest.mark.parametrize(("changed", "red"), [(NOW, True), (1.7e9, False), (None, False)])
def test_a_file_that_was_written_after_the_start(changed, red):
    path = "/root/lago/sidekiq.yml"
    mount = Mount("bind", path, "/app/config/sidekiq.yml", True)
    service = Service(name="lago-worker", image="", role="worker", mounts=(mount,))
    source = KeyFile(path, "644", "0", 9, "regular file", changed=changed and int(changed))
    found = list(
        worker.reads_its_files_as_they_are(facts(container("worker", service=service), sources=(source,)))
    )
    assert ids(found) == (["started-before-its-file"] if red else [])
    assert all(path in each.problem and "docker restart lago-worker-1" in each.fix for each in found)


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        ({}, True),
        ({"running": False}, False),
        ({"started_at": stamp(5)}, False),
        ({"started_at": stamp(500)}, True),
    ],
)
def test_a_worker_that_was_killed_is_registered_for_a_minute(state, alive):
    """Its hash expires after that; its container says that it is gone."""
    worker_now = container("worker", **{"id": "f" * 64, **state})
    process = SidekiqProcess(SidekiqInfo(("default",), hostname="f" * 12), NOW - 20)
    database = RedisDatabase(0, (process,), (), (), 1, 0)
    found = sidekiq.as_enqueued_to(facts(worker_now, redis=RedisAnswers(databases=(database,))))
    assert bool(found.processes) is alive
