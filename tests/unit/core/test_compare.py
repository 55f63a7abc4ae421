"""Values of JSON that mean the same."""

import pytest

from lago_acceptance.core.compare import same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1),
        ("1", 1),
        ("1.50", "1.5"),
        (1.5, "1.500"),
        ("1e2", 100),
        (0.1, "0.1"),
        ("a", "a"),
        (None, None),
        (True, True),
    ],
)
def test_values_that_mean_the_same(one, other):
    assert same(one, other) and same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        ("1.5", "1.51"),
        ("a", "b"),
        ("a", 1),
        (None, 0),
        ("", 0),
        (True, "1"),
        (True, "true"),
        (False, "0"),
        ([1], ["1"]),
    ],
)
def test_values_that_differ(one, other):
    assert not same(one, other) and not same(other, one)
