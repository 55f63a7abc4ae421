"""Phase 2: the API is healthy, has the expected version, and accepts its own key."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import api_inside

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_health_is_lagos_and_of_the_expected_version(facts, settings, judge):
    judge(api_inside.is_healthy_and_of_the_expected_version(facts, settings))


def test_the_api_answers_its_own_key(facts, settings, judge):
    judge(api_inside.accepts_its_own_key(facts, settings))
