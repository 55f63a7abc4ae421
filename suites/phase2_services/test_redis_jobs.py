"""Phase 2: Redis takes Lago's jobs and keeps them, and nobody else uses it."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import redis_clients, redis_room, redis_writes

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_redis_takes_jobs(facts, judge):
    judge(redis_writes.takes_jobs(facts))


def test_redis_keeps_jobs(facts, judge):
    judge(redis_room.keeps_jobs(facts))


def test_redis_has_room(facts, judge):
    judge(redis_room.has_room(facts))


def test_redis_clients_belong_to_the_deployment(facts, settings, judge):
    judge(redis_clients.belong_to_the_deployment(facts, settings))
