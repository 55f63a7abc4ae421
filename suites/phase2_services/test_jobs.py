"""Phase 2: no job has died lately, and the clock has enqueued each schedule when it should have."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import availability, billing_signs, diagnosis
from lago_acceptance.checks import clock as clock_checks
from lago_acceptance.core.roles import CLOCK
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.lago import schedules

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


@pytest.fixture(scope="module")
def clock(facts):
    """The running clock."""
    if (found := facts.running(CLOCK)) is None:
        raise Blocked(
            diagnosis.blocker(facts) if facts.of_role(CLOCK) else "service-missing", "the clock does not run"
        )
    return found


def test_no_job_has_died_since_the_last_look(facts, last_run, judge):
    jobs = availability.jobs(facts)
    if last_run is None:
        raise Unknown(
            f"this is the first look at this host: {len(jobs.dead)} jobs are dead, and the next look "
            "compares with them"
        )
    judge(billing_signs.died(jobs, last_run))


def test_customers_are_billed_every_hour(facts, clock, judge):
    judge(clock_checks.late_schedules(facts, clock, schedules.BILLING))


def test_five_minute_schedules_are_enqueued_in_time(facts, clock, judge):
    judge(clock_checks.late_schedules(facts, clock, schedules.EVERY_FIVE_MINUTES))


def test_hourly_schedules_are_enqueued_in_time(facts, clock, judge):
    judge(clock_checks.late_schedules(facts, clock, schedules.EVERY_HOUR))
