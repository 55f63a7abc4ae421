"""Beside a cause, what follows from it is blocked by it; what is broken on its own stays red."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.causes import Causes
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.verdicts import Blocked


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
