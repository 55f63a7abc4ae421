"""Phase 2: no job has died since the last run, and those that wait for their time are started."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import jobs

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_no_job_has_died_since_the_last_look(facts, last_run, judge):
    judge(jobs.none_died_since(facts, last_run))


def test_jobs_are_started_when_they_are_due(facts, settings, judge):
    judge(jobs.start_when_due(facts, settings))
