"""Phase 2: the front sends browsers to the API."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import front

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_the_front_tells_the_browser_the_apis_public_url(facts, settings, judge):
    judge(front.uses_the_apis_public_url(facts, settings))
