"""Releases as operators name them: what is none of Lago is refused in one sentence that says what to give."""

from __future__ import annotations

import pytest

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import newest
from lago_acceptance.lago.upgrade_path import legs, named, overdue
from lago_acceptance.lago.upgrade_times import measured_within


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as refused:
        named(text)
    return str(refused.value)


@pytest.mark.parametrize("text", ["v1.16.0", "1.16.0", " v1.16.0 "])
def test_a_release_is_named_by_its_tag(text):
    assert named(text).tag == "v1.16.0"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("v1.16.7", "v1.16.7 is not a release of Lago known here: the nearest are v1.16.0 and v1.17.0"),
        ("v1.27.9", "the nearest are v1.27.1 and v1.28.0"),
        ("v0.9.0", "v0.9.0 is not a release of Lago known here: the nearest is v1.0.0"),
        ("v9.9.9", f"the newest one is {newest().tag}; for a later one, update lago-acceptance"),
        ("v1.16.1", "v1.16.1 is v1.26.1 under another number, and no patch of what its number says: give v1.26.1"),
        ("latest", "'latest' is not a release of Lago: that tag is another release each month; give the one that is meant"),
        ("v1.16.0-acme", "the tag of somebody's own image; give the release that it is made from, such as v1.16.0"),
        ("2024.1", f"'2024.1' is not a release of Lago: give a tag of Lago, from v1.0.0 to {newest().tag}"),
        ("v1.26", "give a tag of Lago"),
        ("v1.26.0.1", "such as v1.26.0"),
        ("v" + "9" * 500, "give a tag of Lago"),
        ("", "'' is not a release of Lago"),
        ("v1.16.0\nv1.17.0", "such as v1.16.0"),
    ],
)  # fmt: skip
def test_what_is_no_release_is_refused_with_what_to_give(text, says):
    assert says in refusal(text)
    assert len(refusal(text)) < 250 and "\n" not in refusal(text)


def test_there_is_no_way_back():
    with pytest.raises(UsageError, match=r"v1\.16\.0 is older than v1\.26\.0: .*rollback"):
        legs(named("v1.26.0"), named("v1.16.0"))


def test_a_release_with_the_same_schema_and_a_higher_number_is_no_way_back():
    assert [leg.tag for leg in legs(named("v1.6.5"), named("v1.7.0"))] == ["v1.7.0"]


def test_from_a_release_to_itself_there_is_nothing_to_do():
    assert legs(named("v1.26.0"), named("v1.26.0")) == ()


def test_a_stop_behind_the_release_that_runs_is_still_due_where_a_later_one_requires_it():
    assert [stop.tag for stop in overdue(named("v1.30.0"), named("v1.32.0"))] == ["v1.29.0"]
    assert overdue(named("v1.30.0"), named("v1.31.0")) == ()
    # What runs is a stop: it is the first leg.
    assert overdue(named("v1.29.0"), named("v1.32.0")) == ()


def test_a_measurement_counts_for_the_ways_that_contain_it():
    assert [each.least for each in measured_within(named("v1.15.0"), named("v1.51.0"))] == [12, 12]
    assert measured_within(named("v1.17.0"), named("v1.51.0")) == ()
