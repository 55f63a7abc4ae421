"""Each check of the services is seen red and green."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import drift, environment, services
from lago_acceptance.core import registry
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess, Reached
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.rules import of_phase
from tests.support.facts import NOW, SETTINGS, container, facts, ids, lago, stamp


def by_rules(seen) -> list[str]:
    """The ids that the rules of phase 2 find in what runs."""
    return [
        found.id
        for rule in of_phase(2)
        for found in rule.findings(seen.model(), SETTINGS, lambda violation: None)
    ]


def test_a_stack_that_did_not_come_up():
    assert list(services.stack_came_up(facts(*lago()), None)) == []
    assert ids(services.stack_came_up(facts(), "no such image")) == ["not-brought-up"]
    with pytest.raises(Blocked, match="service-down"):
        list(services.stack_came_up(facts(*lago()), "late"))


@pytest.mark.parametrize("role", ["db", "redis", "migrate", "api", "front"])
def test_a_missing_service(role):
    assert list(services.each_service_runs_once(facts(*lago()))) == []
    (found,) = services.each_service_runs_once(facts(*lago(role)))
    assert (found.id, found.role) == ("service-missing", role)


@pytest.mark.parametrize("role", ["worker", "clock", "pdf"])
def test_a_missing_service_that_a_rule_reports_is_reported_once(role):
    seen = facts(*lago(role))
    both = [*ids(services.each_service_runs_once(seen)), *by_rules(seen)]
    assert [id for id in both if id in ("service-missing", f"no-{role}-service")] == [f"no-{role}-service"]
    without_api = services.each_service_runs_once(facts(*lago("api", role)))
    assert [(each.id, each.role) for each in without_api] == [
        ("service-missing", each) for each in ("api", role)
    ]


def test_a_missing_healthcheck_is_reported_once():
    silent = msgspec.structs.replace(container("clock"), health=None)
    seen = facts(*lago("clock"), silent)
    assert by_rules(seen).count("missing-healthcheck") == len(seen.containers) - 1, "all but migrate"
    assert registry.ALIASES["healthcheck-absent"] == "missing-healthcheck"
    assert "healthcheck-absent" not in registry.entries()


def test_a_service_that_is_there_twice():
    twice = container("api", name="lago-api-2")
    (found,) = services.each_service_runs_once(facts(*lago(), twice))
    assert found.id == "service-more-than-once" and "lago-api-1, lago-api-2" in found.problem
    other = container("worker", service=Service(name="lago-events-worker", image="", role="worker"))
    assert list(services.each_service_runs_once(facts(*lago(), other))) == []
    assert ids(services.each_service_runs_once(facts(*lago(), container("worker")))) == [
        "service-more-than-once"
    ]


def test_a_database_that_answers_is_not_missing():
    assert (
        list(services.each_service_runs_once(facts(*lago("db"), database=DatabaseAnswers(complete=True))))
        == []
    )


def test_a_service_that_is_down():
    assert list(services.are_up_and_healthy(facts(*lago()))) == []
    dead = container("front", running=False, status="exited", exit_code=3)
    (found,) = services.are_up_and_healthy(facts(*lago("front"), dead, logs={"front": f"{stamp(9)} boom"}))
    assert found.id == "service-down" and "exited with code 3" in found.problem and "boom" in found.problem
    unhealthy = container("api", health="unhealthy", health_output="curl: (7)")
    (found,) = services.are_up_and_healthy(facts(*lago("api"), unhealthy))
    assert "curl: (7)" in found.problem
    with pytest.raises(Blocked, match="not-brought-up"):
        list(services.are_up_and_healthy(facts()))


def test_what_asks_a_store_that_is_down_is_not_reported_beside_it():
    ill = {"health": "unhealthy", "health_output": "500"}
    stopped = container("db", running=False, status="exited")
    (found,) = services.are_up_and_healthy(facts(*lago("api", "db"), container("api", **ill), stopped))
    assert found.role == "db"
    # The worker's asks Redis.
    both = facts(*lago("worker", "db"), container("worker", **ill), stopped)
    assert {each.role for each in services.are_up_and_healthy(both)} == {"worker", "db"}


def test_what_waits_for_the_migration_is_blocked_by_it():
    waits = container("api", running=False, status="created")
    failed = container("migrate", running=False, status="exited", exit_code=1)
    with pytest.raises(Blocked, match="migrate-failed"):
        list(services.are_up_and_healthy(facts(*lago("api", "migrate"), waits, failed)))


@pytest.mark.parametrize(
    ("line", "id", "severity"),
    [
        ("PG::UndefinedTable: relation", "log-migration-failed", Severity.ERROR),
        ("RedisClient::CannotConnectError", "log-redis-unreachable", Severity.WARNING),
    ],
)
def test_a_fatal_line_in_a_log(line, id, severity):
    seen = facts(*lago(), logs={"worker": f"{stamp(9)} {line}"})
    (found,) = services.log_nothing_fatal(seen, SETTINGS)
    assert (found.id, found.severity, found.role) == (id, severity, "worker") and line in found.problem
    assert registry.entries()[id].severity is severity
    assert (
        list(services.log_nothing_fatal(facts(*lago(), logs={"worker": f"{stamp(9)} all is well"}), SETTINGS))
        == []
    )
    with pytest.raises(Blocked, match="no process of Lago"):
        list(services.log_nothing_fatal(facts(container("db")), SETTINGS))


LOGIN = "ActiveRecord::NoDatabaseError (We could not find your database: lago."
MIGRATED = AppliedMigrations(408, "20241119110219")
WELL = {
    "lago": {
        "api": LagoProcess(
            reached={"DATABASE_URL": Reached("7"), "REDIS_URL": Reached("8")},
            migrations=("1", MIGRATED.latest),
            migration_count=MIGRATED.count,
        )
    },
    "database": DatabaseAnswers(migrations=MIGRATED),
    "redis": RedisAnswers(policy="noeviction"),
}


@pytest.mark.parametrize(
    ("lines", "now", "severity", "words"),
    [
        ((LOGIN,), WELL, Severity.WARNING, "works now"),
        (("password authentication failed",), WELL, Severity.WARNING, "works now"),
        (("PG::UndefinedTable: relation",), WELL, Severity.WARNING, "works now"),
        (("Your Redis instance will evict Sidekiq data",), WELL, Severity.WARNING, "works now"),
        ((LOGIN,), {}, Severity.ERROR, "does not exist"),
        ((LOGIN,), {"lago": {"api": LagoProcess(reached={"DATABASE_URL": Reached(error="refused")})}},
         Severity.ERROR, "does not exist"),
        (("PG::UndefinedTable: relation",), WELL | {"database": DatabaseAnswers(migrations=AppliedMigrations(1, "1"))},
         Severity.ERROR, "a migration has failed"),
        # What is over hides nothing that is not.
        ((LOGIN, "Validation failed: Value value_is_mandatory"), WELL, Severity.ERROR, "seeding lacks a variable"),
    ],
)  # fmt: skip
def test_a_fatal_line_about_what_works_now(lines, now, severity, words):
    log = "\n".join(f"{stamp(9)} {line}" for line in lines)
    (found,) = services.log_nothing_fatal(facts(*lago(), logs={"api": log}, **now), SETTINGS)
    assert found.severity is severity and words in found.problem


def test_a_service_that_is_not_on_its_network():
    on = {"p": "10.0.0.2", "g": "10.0.1.2"}
    networks = {"proxy": "p", "gateway": "g"}.__getitem__
    well = (container("api", addresses=on), container("front", addresses=on))
    assert list(services.are_on_their_networks(facts(*well), networks, SETTINGS)) == []
    off = (container("api", addresses={"p": "10.0.0.2"}), container("front"))
    found = services.are_on_their_networks(facts(*off), networks, SETTINGS)
    assert [(each.id, each.role) for each in found] == [("wrong-network", "front"), ("wrong-network", "api")]
    with pytest.raises(Blocked, match="service-missing"):
        list(services.are_on_their_networks(facts(container("db")), networks, SETTINGS))


DECLARED = Service(name="lago-api", image="getlago/api:v1", role="api", environment={"LAGO_API_URL": "a"})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"image": "getlago/api:v2"}, "image getlago/api:v2 is running"),
        ({"environment": {"LAGO_API_URL": "b"}}, "LAGO_API_URL has another value"),
        ({"environment": {}}, "LAGO_API_URL is not set"),
        ({"environment": {"LAGO_API_URL": "a", "LAGO_X": "1"}}, "LAGO_X is set in the container"),
        ({"name": "other"}, "no longer has this service"),
    ],
)
def test_a_container_that_differs_from_its_file(changed, words):
    running = container("api", service=msgspec.structs.replace(DECLARED, **changed))
    declaration = Model(observed=False, project="", services=(DECLARED,))
    found = [
        each.problem for each in drift.containers_match_their_files(facts(running, declaration=declaration))
    ]
    assert [words in each for each in found] == ([True] if words else [])


def test_a_container_that_lacks_a_mount_of_its_file():
    kept = (Mount("volume", "data", "/app/storage", False),)
    declaration = Model(
        observed=False,
        project="",
        services=(msgspec.structs.replace(DECLARED, mounts=kept, restart="always"),),
    )
    (found,) = drift.containers_match_their_files(
        facts(container("api", service=DECLARED), declaration=declaration)
    )
    assert "nothing is mounted at /app/storage" in found.problem and "restart policy is no" in found.problem
    with pytest.raises(Unknown, match="could not be read"):
        list(drift.containers_match_their_files(facts(*lago())))


def test_processes_that_can_not_be_compared():
    with pytest.raises(Blocked, match="service-missing"):
        list(environment.lagos_processes_agree(facts(container("api"))))
    with pytest.raises(Blocked, match="not-brought-up"):
        list(environment.lagos_processes_agree(facts()))


def test_what_has_restarted_just_now_does_not_run():
    young = container("api", restarts=2, health=None, started_at=stamp(2))
    assert not young.serving(NOW)
    with pytest.raises(Blocked, match="no process of Lago"):
        list(services.log_nothing_fatal(facts(young), SETTINGS))
