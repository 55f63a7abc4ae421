"""Numbers in units that are read at a glance, and the value that matters most in front."""

from __future__ import annotations

import math

import pytest

from lago_acceptance.core.measurements import MEASURES, Measurement
from lago_acceptance.page import numbers


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("certificate_days", 1, "1 day"),
        ("certificate_days", 58, "58 days"),
        ("certificate_days", -2, "-2 days"),
        ("queue_age", 0, "0 s"),
        ("queue_age", 2.44, "2.4 s"),
        ("queue_age", 119, "119 s"),
        ("queue_age", 120, "2 min"),
        ("queue_age", 7200, "2 h"),
        ("queue_age", 3e5, "3.5 days"),
        ("dump_age", 6.4, "6.4 h"),
        ("disk_free", 512, "512 MiB"),
        ("disk_free", 39321.6, "38 GiB"),
        ("dump_size", 1.46e9, "1.4 GiB"),
        ("dump_size", 3e15, "2,728 TiB"),
        ("processed_jobs", 1842330, "1,842,330 jobs"),
        ("dead_jobs", math.nan, "not known"),
        ("queue_age", math.inf, "not known"),
    ],
)
def test_a_number_has_a_unit_of_its_size(name, value, text):
    assert numbers.amount(name, value) == text


def test_the_worst_comes_first_and_the_sixth_is_the_last_that_is_open():
    [tile] = numbers.tiles(
        tuple(Measurement("certificate_days", days, f"a{days}") for days in (180, *range(10, 90, 10)))
    )
    assert tile.text == "10 days" and [row.about for row in tile.rows] == [
        f"a{days}" for days in range(10, 70, 10)
    ]
    assert [row.about for row in tile.more] == ["a70", "a80", "a180"] and tile.more[-1].length == 100


def test_a_queue_has_its_jobs_beside_its_age():
    [tile] = numbers.tiles(
        (
            Measurement("queue_jobs", 1, "b"),
            Measurement("queue_age", 3, "a"),
            Measurement("queue_age", 600, "b"),
        )
    )
    assert [(row.about, row.text, row.beside) for row in tile.rows] == [
        ("b", "10 min", "1 job"),
        ("a", "3 s", ""),
    ]
    assert [row.length for row in tile.rows] == [100, 0]


def test_free_disk_has_no_bar_for_nothing_says_what_is_much():
    [tile] = numbers.tiles((Measurement("disk_free", 9, "/"),))
    assert tile.rows[0].length is None


def test_every_other_measure_is_listed_with_what_its_worst_value_is_of():
    found = list(
        numbers.others(tuple(Measurement(name, value, f"a{value}") for name in MEASURES for value in (1, 2)))
    )
    assert len(found) == len(MEASURES) - 3
    assert ("Restarts", "2 restarts", "a2") in found and ("Containers", "1 container", "a1") in found
