"""An alarm is sent when the state of billing changes, and once a day while it is red."""

from __future__ import annotations

import pytest

from lago_acceptance.alarms import notify
from lago_acceptance.alarms.night import Sent
from tests.support.nights import DAY, HOUR, MORNING, finding, night, red_night


def last(summary, sent: float = MORNING) -> Sent:
    return Sent(sent, summary.billing, notify.cause(summary), summary.run)


OTHER = red_night(finding("redis-down"))
UNREACHABLE = night(billing="not known", exit_code=6, verdict="could not be reached")
CRASHED = night(billing="not known", exit_code=3, verdict="internal error")
STRICT = night(billing="bills, with faults", exit_code=1, verdict="not accepted")


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (None, night(), ""),
        (None, red_night(), "changed"),
        (None, UNREACHABLE, "changed"),
        (None, night(billing="not known"), "changed"),
        (red_night(), red_night(), ""),
        (red_night(), OTHER, "changed"),
        (red_night(), UNREACHABLE, "changed"),
        (UNREACHABLE, UNREACHABLE, ""),
        (UNREACHABLE, CRASHED, "changed"),
        (UNREACHABLE, red_night(), "changed"),
        (red_night(), STRICT, "changed"),
        (red_night(), night(), "recovered"),
        (UNREACHABLE, night(), "recovered"),
        (night(), night(), ""),
        (night(), red_night(), "changed"),
    ],
)
def test_it_follows_the_state_of_billing_and_its_first_cause(before, now, why):
    known = last(before) if before else None
    assert notify.due(now, known, MORNING + HOUR, 24) == why


@pytest.mark.parametrize(
    ("waited", "why"),
    [
        (HOUR, ""),
        (12 * HOUR, ""),
        (22 * HOUR, ""),
        # A timer with a random delay starts a run a few minutes earlier than the night before.
        (DAY - 10 * 60, "still red"),
        (3 * DAY, "still red"),
        # The clock was set back.
        (-HOUR, "still red"),
        (-30 * DAY, "still red"),
    ],
)
def test_it_comes_again_once_a_day_whatever_the_clock_does(waited, why):
    assert notify.due(red_night(), last(red_night()), MORNING + waited, 24) == why


def test_how_often_is_a_setting():
    assert notify.due(red_night(), last(red_night()), MORNING + 2 * HOUR, 1) == "still red"
    assert notify.due(red_night(), last(red_night()), MORNING + 2 * DAY, 24 * 7) == ""
