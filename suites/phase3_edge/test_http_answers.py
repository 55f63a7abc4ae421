"""Phase 3: each public URL gives the right kind of body, and http redirects to https."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import http_answers, redirects

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_https_answers_through_the_name(survey, judge_hosts):
    judge_hosts(lambda role, url: http_answers.through_the_name(survey, role))


def test_https_answers_straight_at_the_origin(survey, judge_hosts):
    judge_hosts(lambda role, url: http_answers.straight_to_the_origin(survey, role))


def test_http_redirects_once_to_https(survey, judge_hosts):
    judge_hosts(lambda role, url: redirects.http_redirects_to_https(survey, role), once_each="origin")
