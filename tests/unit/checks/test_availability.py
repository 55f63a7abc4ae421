"""What keeps a check from judging is named by the id of the finding that is red for it."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import availability, services
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import DatabaseAnswers
from lago_acceptance.facts.redis_answers import RedisAnswers, RedisDatabase
from tests.support.facts import container, facts, lago

NO_KEY = "2026-11-24T10:00:00.000000000Z undefined method `unpack1' for nil"


def down(role: str, **more):
    return container(role, **{"running": False, "status": "exited", "exit_code": 1, **more})


def test_a_running_container_is_given():
    seen = facts(*lago())
    assert availability.running(seen, "clock").role == "clock"
    assert [each.role for each in availability.running_lago(seen, "api", "worker")] == ["api", "worker"]


@pytest.mark.parametrize(
    ("seen", "role", "by"),
    [
        (facts(), "api", "not-brought-up"),
        (facts(), "db", "not-brought-up"),
        (facts(*lago("clock")), "clock", "no-clock-service"),
        (facts(*lago("worker")), "worker", "no-worker-service"),
        (facts(*lago("pdf")), "pdf", "no-pdf-service"),
        (facts(*lago("api", "clock")), "clock", "service-missing"),
        (facts(*lago("front")), "front", "service-missing"),
        (facts(*lago("clock"), down("clock")), "clock", "service-down"),
        (facts(*lago("api"), down("api"), logs={"api": NO_KEY}), "api", "rsa-key-absent"),
        (
            facts(*lago("api", "redis"), down("api"), down("redis"), logs={"api": NO_KEY}),
            "redis",
            "service-down",
        ),
        (
            facts(
                *lago("api", "migrate"), down("migrate"), container("api", running=False, status="created")
            ),
            "api",
            "migrate-failed",
        ),
    ],
)
def test_what_does_not_run_is_blocked_by_its_cause(seen, role, by):
    with pytest.raises(Blocked) as blocked:
        availability.running(seen, role)
    assert blocked.value.by == by


def test_without_any_process_of_lago_nothing_is_judged():
    with pytest.raises(Blocked, match="none of api, worker is running"):
        availability.running_lago(facts(down("api")), "api", "worker")
    with pytest.raises(Blocked, match="not-brought-up"):
        availability.brought_up(facts())


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        (facts(container("api")), Unknown, "not one of this deployment's containers"),
        (facts(down("db")), Blocked, "service-down"),
        (facts(container("db"), database_error="sh: psql: not found"), Unknown, "can't be queried"),
        (facts(container("db"), database_error="refused"), Blocked, "database-refuses-lago"),
    ],
)
def test_a_database_that_gave_no_answer(seen, verdict, words):
    with pytest.raises(verdict, match=words):
        availability.database(seen)


def test_answers_are_given_and_a_part_of_them_is_unknown():
    answers = DatabaseAnswers()
    assert availability.database(facts(container("db"), database=answers)) is answers
    whole = RedisDatabase(0, (), (), (), 1, 0)
    seen = facts(container("redis"), redis=RedisAnswers(databases=(whole,)))
    assert availability.jobs(seen).processed == 1
    with pytest.raises(Blocked, match="redis-refuses-lago"):
        availability.jobs(facts(container("redis")))
    for partial in (RedisAnswers(), RedisAnswers(databases=(RedisDatabase(0),))):
        with pytest.raises(Unknown, match="did not report all"):
            availability.jobs(facts(container("redis"), redis=partial))


def test_a_worker_whose_healthcheck_asks_a_refusing_redis_is_blocked_by_it():
    sick = container("worker", health="unhealthy", health_output="Sidekiq is not ready")
    refusing = RedisAnswers(errors={"write": "MISCONF Redis is configured to save RDB snapshots"})
    seen = facts(*lago("worker"), sick, redis=refusing)
    with pytest.raises(Blocked, match="redis-cannot-save"):
        list(services.are_up_and_healthy(seen))
    other = facts(*lago("worker", "front"), sick, down("front"), redis=refusing)
    assert [each.role for each in services.are_up_and_healthy(other)] == ["front"]
    assert [each.role for each in services.are_up_and_healthy(facts(*lago("worker"), sick))] == ["worker"]
