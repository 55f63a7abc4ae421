"""Phase 2: the clock ticks, and enqueues each schedule in time."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import clock, clocks
from lago_acceptance.lago import schedules

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_the_clock_ticks(facts, judge):
    judge(clock.ticks(facts))


def test_one_clock_ticks_alone(facts, judge):
    judge(clocks.tick_alone(facts))


def test_customers_are_billed_every_hour(facts, judge):
    judge(clock.enqueues_in_time(facts, schedules.BILLING))


def test_five_minute_schedules_are_enqueued_in_time(facts, judge):
    judge(clock.enqueues_in_time(facts, schedules.EVERY_FIVE_MINUTES))


def test_hourly_schedules_are_enqueued_in_time(facts, judge):
    judge(clock.enqueues_in_time(facts, schedules.EVERY_HOUR))
