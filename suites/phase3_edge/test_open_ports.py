"""Phase 3: nothing but the public URLs answers from outside, and Sidekiq's pages are closed."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import open_ports
from lago_acceptance.core.roles import API

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_only_web_ports_answer_from_outside(survey, settings, judge):
    judge(open_ports.only_web_is_open(survey, settings.edge))


def test_sidekiq_pages_are_closed(survey, settings, judge_hosts):
    version = settings.deployment.version
    judge_hosts(lambda role, url: open_ports.jobs_are_closed(survey, role, version), API)
