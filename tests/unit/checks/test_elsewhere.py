"""Stores that run elsewhere are judged by what Lago's own connection shows; what it doesn't show is unknown, not red."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import (
    availability,
    database,
    redis,
    redis_clients,
    redis_writes,
    services,
    stores,
)
from lago_acceptance.checks import platforms as on_platforms
from lago_acceptance.checks.drift import containers_match_their_files
from lago_acceptance.checks.postgres import clients, service
from lago_acceptance.checks.postgres.known import known
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import DB, REDIS
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess, Reached
from lago_acceptance.facts.database_server import About, DatabaseServer
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.model.deployment import Service
from tests.support.facts import SETTINGS, container, facts, ids, lago

URLS = {
    "DATABASE_URL": "postgres://lago:x@db.managed.test/lago?sslmode=require",
    "REDIS_URL": "rediss://:x@redis.managed.test:6379/1",
}
HERE = lago(DB, REDIS, api=URLS, worker=URLS, clock=URLS)
BOTH = {DB: "api", REDIS: "api"}
ANSWERED = {
    "database": DatabaseAnswers(server=DatabaseServer(about=About(role="lago", database="lago"))),
    "redis": RedisAnswers(policy="noeviction", info={"role": "master"}),
}


def seen(*, elsewhere=BOTH, **more):
    return facts(*HERE, elsewhere=elsewhere, **more)


def test_no_service_is_missing():
    assert ids(services.each_service_runs_once(seen(**ANSWERED))) == []


def test_what_they_answer_is_judged():
    healthy = seen(**ANSWERED)
    assert ids(database.lets_lago_in(healthy)) == [] and ids(redis.answers_and_never_evicts(healthy)) == []
    (found,) = redis.answers_and_never_evicts(seen(redis=RedisAnswers(policy="allkeys-lru")))
    assert found.id == "redis-evicts" and 'redis-cli -u "$REDIS_URL" CONFIG SET' in found.fix
    assert "docker" not in found.fix
    (found,) = redis_writes.takes_jobs(seen(redis=RedisAnswers(errors={"write": "LOADING Redis is loading"})))
    assert found.id == "redis-loading" and "log of Redis at redis.managed.test" in found.fix


def test_a_login_that_fails_is_red():
    refused = 'FATAL: password authentication failed for user "lago"'
    refusing = seen(database_error=refused, redis_error="AUTH failed: WRONGPASS invalid password")
    assert ids(database.lets_lago_in(refusing)) == ["database-refuses-lago"]
    assert ids(redis.answers_and_never_evicts(refusing)) == ["redis-refuses-lago"]
    assert availability.redis_trouble(refusing) == "redis-refuses-lago"


def test_what_is_not_reached_is_red_once():
    error = Reached(error="Errno::ECONNREFUSED: Connection refused")
    reached = {"DATABASE_URL": error, "REDIS_URL": error}
    away = seen(
        lago={"api": LagoProcess(reached=reached)},
        database_error="connection refused",
        redis_error="Could not connect to Redis",
    )
    assert ids(stores.they_are_reached(away)) == ["store-not-reached"] * 2
    for check in (database.lets_lago_in, service.takes_writes, redis.answers_and_never_evicts):
        with pytest.raises(Blocked) as blocked:
            list(check(away))
        assert blocked.value.by == "store-not-reached"
    assert availability.redis_trouble(away) == "store-not-reached"


def test_without_a_process_of_lago_they_are_not_asked():
    with pytest.raises(Blocked):
        availability.must_be_asked(facts(elsewhere={DB: ""}), DB, "")


def test_an_image_without_a_client_is_unknown():
    with pytest.raises(Unknown, match=r"db.managed.test can't be queried from Lago's container: .*pg"):
        availability.must_be_asked(seen(), DB, "cannot load such file -- pg")


@pytest.mark.parametrize(
    "check",
    [
        database.data_are_on_a_volume,
        clients.is_used_by_lago,
        lambda found: clients.belong_to_the_deployment(found, SETTINGS),
        lambda found: redis_clients.belong_to_the_deployment(found, SETTINGS),
        stores.they_are_this_deployments,
    ],
)
def test_what_only_a_container_shows_is_unknown(check):
    with pytest.raises(Unknown, match="outside this deployment's containers") as unknown:
        list(check(seen(lago={"api": LagoProcess(addresses={})}, **ANSWERED)))
    assert "managed.test" in str(unknown.value)


def test_what_managed_services_keep_to_themselves_is_unknown():
    with pytest.raises(Unknown, match="PostgreSQL at db.managed.test did not report its slots"):
        known(seen(**ANSWERED), None, "its slots")
    with pytest.raises(Unknown, match="Redis at redis.managed.test did not say"):
        list(redis_writes.takes_jobs(seen(redis=RedisAnswers(errors={"write": "NOPERM x"}))))


SWARM = Service(
    name="api", image="", role="api", labels={"com.docker.swarm.service.name": "lago_api"}, restart=""
)


def finding(id: str, service: str) -> Finding:
    return Finding(id=id, service=service, problem="p", impact="i", fix="f")


def test_a_rule_is_unknown_on_the_platform_that_hides_what_it_judges():
    mixed = facts(container("api", service=SWARM), container("worker"))
    hidden, plain = finding("restart-policy-missing", "api"), finding("restart-policy-missing", "lago-worker")
    with pytest.raises(Unknown, match="Swarm starts tasks again"):
        on_platforms.judged(mixed, [hidden])
    assert on_platforms.judged(mixed, [hidden, plain]) == [plain]
    other = finding("no-worker-service", "api")
    assert on_platforms.judged(mixed, [other]) == [other] and on_platforms.judged(mixed, []) == []


def test_replicas_of_swarms_are_no_second_service():
    tasks = [container("api", id=f"{each}", service=SWARM) for each in range(2)]
    found = facts(*tasks, *lago("api"))
    assert ids(services.each_service_runs_once(found)) == []
    twice = facts(*tasks, container("api", id="3"), *lago("api"))
    assert ids(services.each_service_runs_once(twice)) == ["service-more-than-once"]


PORTAINER = {
    "com.docker.compose.project": "lago",
    "com.docker.compose.project.working_dir": "/data/compose/3",
}


@pytest.mark.parametrize(
    ("labels", "project", "error", "words"),
    [
        ({}, "", "", "started without Compose"),
        (SWARM.labels, "", "", "Swarm does not note"),
        (
            PORTAINER,
            "lago",
            "stat /data/compose/3/docker-compose.yml: no such file or directory",
            "Portainer keeps",
        ),
        (PORTAINER, "lago", "yaml: line 3", "could not be read: yaml: line 3"),
        ({"com.docker.compose.project": "lago"}, "lago", "", "could not be read: no container names one"),
    ],
)
def test_a_compose_file_that_is_not_on_the_host_is_unknown_for_its_platforms_reason(
    labels, project, error, words
):
    made = container("api", project=project, service=Service(name="api", image="", role="api", labels=labels))
    with pytest.raises(Unknown, match=words):
        list(containers_match_their_files(facts(made, declaration_error=error)))
