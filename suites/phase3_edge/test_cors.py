"""Phase 3: the front's pages may use the API, and no others."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import cors
from lago_acceptance.core.roles import API

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_preflight_admits_the_front(survey, judge_hosts):
    judge_hosts(lambda role, url: cors.front_is_admitted(survey, role), API)


def test_preflight_admits_no_other_origin(survey, judge_hosts):
    judge_hosts(lambda role, url: cors.others_are_not(survey, role), API)
