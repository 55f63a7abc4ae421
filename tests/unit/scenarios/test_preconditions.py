"""What phases 1 and 2 know already explains why billing can't work."""

from __future__ import annotations

import pytest

from lago_acceptance.core import settings
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.roles import API, CLOCK, FRONT, PDF, WORKER
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.scenarios.preconditions import NO_LOGIN, Preconditions, first_red_rule, of_billing
from tests.support.facts import container, facts

SETTINGS = settings.load(ROOT / "settings.toml")
REDIS = {"REDIS_URL": "redis://redis:6379", "LAGO_REDIS_CACHE_URL": "redis://redis:6379/3"}


def deployment(worker: dict[str, str] | None = None, **changes):
    made = [container(API, REDIS), container(WORKER, REDIS if worker is None else worker)]
    made += [container(role, **({"running": False} if changes.get(role) else {})) for role in (CLOCK, PDF)]
    return facts(*made)


def test_a_deployment_that_works_lacks_nothing():
    assert of_billing(deployment(), SETTINGS) == Preconditions()


def test_services_that_are_down_are_named_with_the_red_check():
    found = of_billing(deployment(clock=True, pdf=True), SETTINGS)
    assert found.down == {CLOCK: "service-down", PDF: "service-down"}
    with pytest.raises(Blocked, match="service-down"):
        found.need(CLOCK, "activation")
    found.need(WORKER, "invoices")


def test_a_worker_with_another_redis_gets_no_jobs():
    other = {**REDIS, "REDIS_URL": "redis://other:6379"}
    assert of_billing(deployment(other), SETTINGS).down == {WORKER: "redis-disagrees"}


def test_a_worker_with_another_cache_lets_usage_stand_still():
    other = {**REDIS, "LAGO_REDIS_CACHE_URL": "redis://other:6379/3"}
    assert of_billing(deployment(other), SETTINGS) == Preconditions({}, "cache-disagrees")


def test_the_first_rule_that_is_red_explains_a_login():
    fine = facts(container(API, {"LAGO_FRONT_URL": "https://billing.example.com"}))
    assert first_red_rule(fine, SETTINGS, NO_LOGIN) == ""
    front = container(FRONT, {"API_URL": "https://billing-api.example.com"})
    assert first_red_rule(facts(container(API), front), SETTINGS, NO_LOGIN) == "cors-front-url-missing"
    # Without a page nobody's browser is refused.
    assert first_red_rule(facts(container(API)), SETTINGS, NO_LOGIN) == ""
