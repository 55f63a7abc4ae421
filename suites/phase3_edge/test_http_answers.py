"""Phase 3: https gives the right kind of body per host, and http leads there."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import http_answers, redirects

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_https_answers_through_the_name(outside, judge_hosts):
    judge_hosts(lambda role, host: http_answers.through_the_name(outside, role))


def test_https_answers_straight_at_the_origin(outside, judge_hosts):
    judge_hosts(lambda role, host: http_answers.straight_to_the_origin(outside, role))


def test_http_redirects_once_to_https(outside, judge_hosts):
    judge_hosts(lambda role, host: redirects.http_leads_to_https(outside, role))
