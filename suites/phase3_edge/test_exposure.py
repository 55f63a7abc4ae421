"""Phase 3: nothing but 80 and 443 answers from outside, and Sidekiq's pages are closed."""

from __future__ import annotations

import pytest

from lago_acceptance.edge_checks import exposure
from lago_acceptance.roles import API

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_only_web_ports_answer_from_outside(outside, settings, judge):
    judge(exposure.only_web_is_open(outside, settings.edge))


def test_sidekiq_pages_are_closed(outside, judge_hosts):
    judge_hosts(lambda role, host: exposure.jobs_are_closed(outside, role), API)
