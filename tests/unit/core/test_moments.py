"""Times are written as a reader says them."""

from __future__ import annotations

import pytest

from lago_acceptance.core.moments import duration, since


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (45.9, "45 s"),
        (119, "119 s"),
        (720, "12 min"),
        (3600, "1 hour"),
        (11_520, "3 hours 12 min"),
        (47 * 3600, "47 hours"),
        (53 * 3600, "2 days 5 hours"),
        (49 * 3600, "2 days 1 hour"),
        (30 * 86400, "30 days"),
    ],
)
def test_a_time_span_in_its_two_largest_units(seconds, text):
    assert duration(seconds) == text


def test_since_when():
    assert since(1_795_600_000 - 11_520, 1_795_600_000) == "since 2026-11-25 06:34 UTC (3 hours 12 min)"
