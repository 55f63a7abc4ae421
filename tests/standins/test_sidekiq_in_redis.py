"""What Sidekiq keeps in a real Redis, written as Sidekiq 7 and 8 write it, is read by what collect.sh runs, and judged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from lago_acceptance.checks import jobs, processes, queues, worker
from lago_acceptance.core.settings import Limits
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.images.resolve import stand_in
from lago_acceptance.model.deployment import Service
from tests.support.asked_redis import Server, asked
from tests.support.containers import running
from tests.support.facts import SETTINGS, container, facts

MAIN = ("default", "mailers", "clock", "providers", "billing", "webhook", "invoices", "wallets")
EVERY = (*MAIN, "integrations", "low_priority")
OWN, OTHER, NOBODY = "a" * 12, "b" * 12, "c" * 12
HOUR = 3600


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(stand_in("redis")) as started:
        yield Server(started)


def registers(
    server: Server, host: str = OWN, *, reads=EVERY, quiet="false", beat=0.0, work=(), version=7
) -> None:
    """A process of Sidekiq, as its heartbeat writes it."""
    now, identity = time.time(), f"{host}:1:{host[:6]}"
    info = {
        "hostname": host,
        "started_at": now - 9 * HOUR,
        "pid": 1,
        "tag": "app",
        "labels": [],
        "identity": identity,
    }
    if version == 7:
        info |= {
            "concurrency": 10,
            "queues": list(reads),
            "weights": [dict.fromkeys(reads, 0)],
            "embedded": False,
        }
    else:
        info |= {
            "capsules": {"default": {"mode": "strict", "weights": dict.fromkeys(reads, 0)}},
            "version": "8.1.0",
        }
    server("SADD", "processes", identity)
    beat = str(now - beat)
    fields = ("info", json.dumps(info), "concurrency", "10", "busy", str(len(work)), "beat", beat)
    server("HSET", identity, *fields, "rtt_us", "120", "quiet", quiet, "rss", "210000")
    server("EXPIRE", identity, "60")
    for number, (name, since) in enumerate(work):
        running_job = {"queue": "default", "payload": json.dumps(job(name)), "run_at": since}
        server("HSET", f"{identity}:work", f"t{number}", json.dumps(running_job))


def job(name: str, **more) -> dict:
    wrapper = {
        "retry": True,
        "queue": "default",
        "class": "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper",
    }
    return {
        **wrapper,
        "wrapped": name,
        "jid": "f00d",
        "args": [{"job_class": name}],
        "created_at": time.time(),
        **more,
    }


def waits(server: Server, queue: str, **more) -> None:
    server("SADD", "queues", queue)
    server("LPUSH", f"queue:{queue}", json.dumps(job("SendWebhookJob", **more)))


def judged(
    server: Server, image: str = "getlago/api:v1.16.0", **environment: str
) -> tuple[list[str], list[str], Facts]:
    """The ids that are found, what blocks other checks or is not known to them, and the facts."""
    answers, error = asked(server.container.name)
    lago = [
        container(
            role,
            id=(OWN if role == "worker" else role) * 2,
            service=Service(name=role, image=image, role=role, environment=environment),
        )
        for role in ("redis", "api", "worker", "clock")
    ]
    other = container("worker", id=OTHER * 2, name="other-worker-1", project="other")
    seen = facts(*lago, others=(other,), redis=answers, redis_error=error, host_clock=time.time())
    checks = (
        worker.listens_where_the_api_enqueues,
        processes.take_jobs,
        lambda each: processes.are_the_deployments_own(each, SETTINGS),
        lambda each: processes.finish_their_jobs(each, SETTINGS),
        lambda each: queues.are_read_in_time(each, SETTINGS),
        lambda each: jobs.start_when_due(each, SETTINGS),
    )
    found, held = [], []
    for check in checks:
        try:
            found += check(seen)
        except Blocked as blocked:
            held.append(blocked.by)
        except Unknown as unknown:
            held.append(unknown.why)
    server("FLUSHALL")
    return [f"{each.id}: {each.problem}" for each in found], held, seen


def starts(told: list[str], *ids: str) -> bool:
    return [each.partition(":")[0] for each in told] == list(ids)


@pytest.mark.parametrize("version", [7, 8])
def test_a_healthy_worker_is_silent(server, version):
    """Its jobs are young, what is scheduled lies ahead, and a job is written as each version writes it."""
    now = time.time()
    unit = 1 if version == 7 else 1000
    registers(server, version=version, work=[("Invoices::GeneratePdfJob", int(now) - 20)])
    waits(server, "default", enqueued_at=int(now * unit) - 2 * unit)
    server("ZADD", "schedule", str(now + 60), json.dumps(job("SendWebhookJob")))
    server(
        "ZADD",
        "retry",
        str(now + 5),
        json.dumps(job("SendWebhookJob", failed_at=int(now * unit) - 30 * unit)),
    )
    told, held, seen = judged(server)
    assert (told, held) == ([], [])
    assert seen.redis.databases[0].retry.count == seen.redis.databases[0].schedule.count == 1


def test_a_worker_that_reads_one_queue_on_an_idle_host(server):
    registers(server, reads=("low_priority",))
    told, held, _ = judged(server)
    assert starts(told, "worker-leaves-queues") and held == []
    assert "default, mailers, clock, providers and 5 more" in told[0]


def test_of_another_version_what_waits_must_be_read(server):
    registers(server, reads=("default",))
    waits(server, "own", enqueued_at=time.time() - 3 * HOUR)
    told, _, _ = judged(server, image="mine/lago:prod")
    assert (
        starts(told, "queue-stuck") and "no worker reads it; the oldest" in told[0] and "(3 hours)" in told[0]
    )


def test_a_switch_fills_a_queue_that_nobody_reads(server):
    registers(server)
    waits(server, "events", enqueued_at=time.time() - 700)
    told, _, _ = judged(server, SIDEKIQ_EVENTS="true")
    assert starts(told, "queue-without-reader") and "1 jobs wait there" in told[0] and "(11 min)" in told[0]


def test_a_worker_that_was_told_to_take_nothing_more(server):
    registers(server, quiet="true")
    server("ZADD", "schedule", str(time.time() - 900), json.dumps(job("SendWebhookJob")))
    told, held, _ = judged(server)
    assert starts(told, "worker-quiet") and set(held) == {"worker-quiet"}


def test_a_worker_of_another_project_takes_our_jobs(server):
    registers(server)
    registers(server, OTHER)
    told, _, _ = judged(server)
    assert starts(told, "worker-of-another") and "other-worker-1 of the project other" in told[0]


def test_a_worker_that_was_removed_and_its_sign_of_life_was_not(server):
    registers(server)
    registers(server, NOBODY, beat=30)
    assert judged(server)[:2] == ([], [])
    registers(server)
    registers(server, NOBODY, beat=5)
    told, _, _ = judged(server)
    assert starts(told, "worker-of-another") and "no container of this host" in told[0]


@pytest.mark.parametrize("unit", [1, 1000])
def test_a_job_that_runs_for_an_hour(server, unit):
    registers(
        server, work=[("BillSubscriptionJob", int(time.time() - HOUR) * unit), ("X", int(time.time()) * unit)]
    )
    told, _, _ = judged(server)
    assert starts(told, "job-hangs") and "BillSubscriptionJob (queue default, f00d)" in told[0]
    assert "(1 hour)" in told[0]


@pytest.mark.parametrize("which", ["schedule", "retry"])
def test_jobs_that_nobody_starts(server, which):
    registers(server)
    server("ZADD", which, str(time.time() - 600), json.dumps(job("SendWebhookJob")))
    told, _, _ = judged(server)
    assert starts(told, "jobs-overdue") and "1 of 1" in told[0] and "(10 min)" in told[0]


@pytest.mark.parametrize("unit", [1, 1000])
def test_jobs_that_fail_again_and_again(server, unit):
    registers(server)
    failed = job("SendWebhookJob", error_message="refused", failed_at=int(time.time() - 9 * HOUR) * unit)
    server("ZADD", "retry", str(time.time() + 60), json.dumps(failed))
    told, _, _ = judged(server)
    assert starts(told, "jobs-failing") and "(9 hours)" in told[0] and "refused" in told[0]
    registers(server)
    for number in range(Limits(1, 1).retry_jobs + 1):
        server("ZADD", "retry", str(time.time() + 60), json.dumps(job("SendWebhookJob", number=number)))
    told, _, _ = judged(server)
    assert starts(told, "jobs-failing") and told[0].startswith("jobs-failing: 101 jobs")


def test_a_time_that_makes_no_sense_is_not_known(server):
    odd = (0, -5, "soon", 1e300, 7, None, [1], time.time() + 9e6, "inf", {"a": "b"}, "1795649266000000000000")
    registers(server, reads=(*EVERY, *map(str, range(len(odd)))), work=[("X", each) for each in odd])
    for number, each in enumerate(odd):
        waits(server, str(number), enqueued_at=each, created_at=each)
    told, held, seen = judged(server)
    assert told == [] and held == ["Sidekiq did not say since when jobs have been running"]
    assert "sidekiq" not in seen.redis.errors and len(seen.redis.databases[0].queues) == len(odd)


def test_keys_of_another_kind_are_left_out(server):
    for key in ("processes", "queues", "dead"):
        server("SET", key, "of another")
    server("LPUSH", "retry", "x")
    server("SET", "stat:processed", "inf")
    registers(server)
    told, held, seen = judged(server)
    assert starts(told, "worker-not-listening") and seen.redis.databases[0].retry is None
    assert set(held) <= {"worker-not-listening"}
