"""Beside a cause, what follows from it is blocked by it; what is broken on its own stays red."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import causes
from lago_acceptance.checks.causes import Causes, present
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.verdicts import Blocked
from tests.support.facts import SETTINGS, facts, lago


def finding(id: str, role: str | None = None, problem: str = "broken") -> Finding:
    return Finding(id=id, role=role, problem=problem, impact="i", fix="f")


NETWORK = finding("wrong-network", "api", "it is not on the network dokploy-network")
ELSEWHERE = finding("router-leads-elsewhere", "api", "the router leads elsewhere")
SILENT = finding("service-unanswered", "api", "no answer within 5 s")
CAUSES = Causes((NETWORK, ELSEWHERE))


def test_what_follows_is_blocked_by_the_root_and_still_told():
    verdict = CAUSES.instead_of(Red(SILENT))
    assert isinstance(verdict, Blocked) and verdict.by == "wrong-network"
    assert SILENT.problem in str(verdict) and NETWORK.problem in str(verdict)


def test_what_is_blocked_by_something_that_follows_is_blocked_by_the_root():
    verdict = CAUSES.instead_of(Blocked("service-unanswered", "CORS"))
    assert (verdict.by, verdict.missing) == ("wrong-network", "CORS")


@pytest.mark.parametrize(
    "verdict",
    [
        Red(NETWORK),
        Red(finding("service-unanswered", "front")),
        Red(finding("disk-full")),
        Blocked("wrong-network", "x"),
        Blocked("service-down", "x"),
    ],
)
def test_a_cause_and_what_is_broken_on_its_own_stay(verdict):
    assert CAUSES.instead_of(verdict) is verdict


def test_of_several_findings_those_stay_that_nothing_explains():
    other = finding("service-unanswered", "front", "closed")
    verdict = CAUSES.instead_of(Red(SILENT, other))
    assert isinstance(verdict, Red) and verdict.findings == (other,)


def test_services_disagree_about_the_database_because_of_the_password_and_about_the_rest_on_their_own():
    drift = Causes((finding("db-password-drift", "api"),))
    database = finding("services-disagree", problem="DATABASE_URL differs: lago-api against lago-worker")
    redis = finding("services-disagree", problem="REDIS_URL differs: lago-api against lago-worker")
    assert drift.instead_of(Red(database)).by == "db-password-drift"
    assert drift.instead_of(Red(redis)).findings == (redis,)


def test_without_a_cause_nothing_changes():
    verdict = Red(SILENT)
    assert Causes().instead_of(verdict) is verdict
    # An explanation that comes back to where it began is none.
    assert Causes((SILENT,)).of(SILENT) is None


APART = "it shares no network with lago-db, the host in DATABASE_URL"
LOST = "lago-db:5432 of its DATABASE_URL does not answer there: no address"
FAILS = finding("api-fails", "api", "GET /api/v1/organizations answers 500 while /health is green")
DRIFT = finding("db-password-drift", "api")


@pytest.mark.parametrize(
    ("cause", "follows"),
    [
        (DRIFT, FAILS),
        (DRIFT, finding("database-refuses-lago", "db")),
        (DRIFT, finding("service-down", "api")),
        (
            DRIFT,
            finding(
                "service-down", "front", "was created and never started: something that it depends on failed"
            ),
        ),
        (finding("schema-not-the-images", "db"), finding("log-migration-failed", "api")),
        (
            finding("schema-not-the-images", "db"),
            finding("lago-takes-any-key", "gateway", "is answered with 500: {}"),
        ),
        (finding("database-search-path", "db"), finding("api-open", "api", "is answered with 500: {}")),
        (finding("database-search-path", "db"), finding("schema-not-the-images", "db")),
        (finding("schema-trigger-added", "db"), finding("api-refused", "api", "was answered with 500: {}")),
        (finding("service-down", "worker"), finding("worker-not-listening", "worker")),
        (finding("service-down", "db"), finding("api-unhealthy", "api", "/health answers 500: Unhealthy")),
        (finding("service-missing", "db"), FAILS),
        (
            finding(
                "host-unknown", "clock", "DATABASE_URL has the host lago-db, but no service has that name"
            ),
            finding("store-not-reached", "api", LOST),
        ),
        (finding("service-down", "redis"), finding("api-refused", "api", "was answered with 500: {}")),
        (finding("redis-disagrees", "worker"), finding("worker-not-listening", "worker")),
        (finding("redis-is-a-replica", "redis"), finding("api-refused", "api", "POST /graphql answers 500")),
        (finding("database-lock-held", "db"), finding("api-unhealthy", "api", "no answer within 12 s")),
        (finding("database-read-only", "db"), finding("gateway-plans-are-its-own", "gateway")),
        (finding("wrong-certresolver", "api"), finding("certificate-default", "api")),
        (finding("router-service-not-linked", "api"), finding("router-missing", "api")),
        (finding("off-its-network", "worker"), finding("store-not-reached", "worker", LOST)),
        (finding("off-its-network", "db"), finding("wrong-network", "api", APART)),
        (
            finding("off-its-network", "db"),
            finding("host-unknown", "clock", "DATABASE_URL has the host lago-db"),
        ),
        (
            finding("redis-refuses-lago", "redis"),
            finding("store-not-reached", "clock", "redis:6379 of its REDIS_URL does not answer there"),
        ),
        (finding("database-refuses-lago", "db"), finding("store-not-reached", "api", LOST)),
        (finding("off-its-network", "redis"), finding("log-redis-unreachable", "worker")),
        (finding("store-not-reached", "api"), finding("api-open", "api", "is answered with 500: {}")),
        (finding("off-its-network", "db"), finding("store-not-reached", "api", LOST)),
        (
            finding("off-its-network", "worker"),
            finding("database-client-another-lago", "db", "10.0.0.9, which is no container of this host"),
        ),
        (finding("wrong-network", "api", APART), finding("store-not-reached", "api", LOST)),
        (finding("store-not-reached", "api"), finding("api-fails", "api", "no answer within 12 s")),
        (finding("traefik-too-old", "proxy"), finding("router-missing", "front")),
        (finding("traefik-too-old", "proxy"), finding("service-unanswered", "api")),
        (finding("acme-file-refused", "proxy"), finding("certificate-default", "front")),
        (
            finding("acme-file-refused", "proxy"),
            finding("router-broken", "api", "the router uses a nonexistent certificate resolver"),
        ),
    ],
)
def test_each_cause_explains_what_follows_from_it(cause, follows):
    found = Causes((cause,)).instead_of(Red(follows))
    assert isinstance(found, Blocked) and found.by == cause.id


@pytest.mark.parametrize(
    "alone",
    [
        finding("service-down", "clock", "restarts again and again"),
        finding("lago-takes-any-key", "gateway", "an invalid key is answered with 200"),
        finding("api-fails", "api", "GET /api/v1/organizations answers 403"),
    ],
)
def test_a_password_explains_no_other_fault(alone):
    assert isinstance(Causes((DRIFT,)).instead_of(Red(alone)), Red)


def test_a_refused_file_of_certificates_explains_no_other_error_of_a_router():
    refused = Causes((finding("acme-file-refused", "proxy"),))
    broken = finding("router-broken", "api", "the service lago-api@docker does not exist")
    assert isinstance(refused.instead_of(Red(broken)), Red)


@pytest.mark.parametrize(
    ("cause", "alone"),
    [
        (finding("off-its-network", "worker"), finding("store-not-reached", "api", LOST)),
        (finding("service-down", "worker"), finding("api-unhealthy", "api", "/health answers 500")),
        (
            finding("host-unknown", "clock", "REDIS_URL has the host x"),
            finding("store-not-reached", "api", LOST),
        ),
        (finding("off-its-network", "redis"), finding("store-not-reached", "api", LOST)),
        (finding("off-its-network", "pdf"), finding("host-unknown", "api", "REDIS_URL has the host redis")),
        (finding("off-its-network", "worker"), finding("wrong-network", "api", NETWORK.problem)),
        (NETWORK, finding("store-not-reached", "api", LOST)),
        (finding("wrong-network", "worker", APART), finding("store-not-reached", "api", LOST)),
        (
            finding("off-its-network", "worker"),
            finding(
                "database-client-another-lago", "db", "from other-worker-1 of the project other (10.0.0.9)"
            ),
        ),
    ],
)
def test_a_network_explains_no_other_containers_trouble(cause, alone):
    assert isinstance(Causes((cause,)).instead_of(Red(alone)), Red)


def test_what_is_down_explains_its_routers_and_what_they_block():
    down = Causes((finding("router-missing", "api"),), down=(finding("service-down", "api"),))
    assert down.instead_of(Blocked("certificate-default", "log-in")).by == "service-down"
    assert down.instead_of(Red(finding("router-missing", "api"))).by == "service-down"
    assert isinstance(down.instead_of(Red(finding("router-missing", "front"))), Red)


def test_a_role_that_waits_for_another_is_down_by_that_ones_cause():
    waiting = Causes((DRIFT,), down=(finding("service-down", "front"), finding("service-down", "api")))
    assert waiting.instead_of(Blocked("certificate-default", "the API by its public name")).by == DRIFT.id
    assert waiting.instead_of(Blocked("service-down", "the web UI")).by == DRIFT.id


def test_a_network_explains_no_certificate_and_no_silence_of_the_proxy_itself():
    for id in ("certificate-default", "host-unanswered"):
        assert isinstance(CAUSES.instead_of(Red(finding(id, "api"))), Red)


def test_a_waived_cause_explains_nothing():
    assert isinstance(
        CAUSES.without({"wrong-network", "router-leads-elsewhere"}).instead_of(Red(SILENT)), Red
    )


def test_every_id_is_registered():
    of_every_role = {id for follows in causes._OF_EVERY_ROLE.values() for id in follows}
    of_every_role |= {id for follows in causes._OF_A_STORE_APART.values() for id in follows}
    named = causes.IDS | of_every_role | {id for ids in causes._OF_ITS_ROLE.values() for id in ids.split()}
    assert named - registry.entries().keys() == set()


FULL = facts(*lago(), project="lago")


def test_the_causes_are_taken_from_rules_and_checks_and_what_cannot_be_judged_is_none():
    rule = finding("wrong-certresolver", "api")
    found = present(
        FULL, SETTINGS, [rule, finding("disk-full")], {"api": "a", "front": "f"}, lambda which: which
    )
    assert rule in found.present and "disk-full" not in {each.id for each in found.present}
    # Its containers are on no network at all, and nothing answered for the database.
    assert {"wrong-network", "database-refuses-lago"} <= {each.id for each in found.present}
    assert found.down == ()


def test_a_role_without_a_running_container_is_down():
    found = present(facts(*lago("api"), project="lago"), SETTINGS, [], {"api": "a"}, lambda which: which)
    assert [(each.id, each.role) for each in found.down] == [("service-missing", "api")]
