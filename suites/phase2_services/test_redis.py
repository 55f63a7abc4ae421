"""Phase 2: Redis lets Lago in, takes its jobs and keeps them, and nobody else uses it."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import redis, redis_clients

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_redis_answers_and_never_evicts(facts, judge):
    judge(redis.answers_and_never_evicts(facts))


def test_redis_takes_jobs(facts, judge):
    judge(redis.takes_jobs(facts))


def test_redis_keeps_jobs(facts, judge):
    judge(redis.keeps_jobs(facts))


def test_redis_has_room(facts, judge):
    judge(redis.has_room(facts))


def test_redis_clients_belong_to_the_deployment(facts, settings, judge):
    judge(redis_clients.belong_to_the_deployment(facts, settings))
