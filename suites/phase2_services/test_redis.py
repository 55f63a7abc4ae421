"""Phase 2: Redis lets Lago in and never evicts a job."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import redis

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_redis_answers_and_never_evicts(facts, judge):
    judge(redis.answers_and_never_evicts(facts))
