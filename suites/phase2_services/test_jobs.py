"""Phase 2: no job has died since the last run."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import jobs

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_no_job_has_died_since_the_last_look(facts, last_run, judge):
    judge(jobs.none_died_since(facts, last_run))
