"""What a deployment must not lose."""

from __future__ import annotations

import pytest

from lago_acceptance.deploy import identity

BEFORE = {
    "system_identifier": "77",
    "migrations": "408",
    "customers": "12",
    "events": "1000",
    "queued": "3",
    "retry": "1",
    "schedule": "2",
    "processed": "50",
}


def test_fees_that_a_migration_deletes_are_no_loss():
    before = BEFORE | {"fees": "9", "zero_fees": "2", "latest_migration": "20241119110219"}
    after = before | {"fees": "7", "zero_fees": "0"}
    assert not list(identity.lost(before, after | {"latest_migration": "20250402135038"}))
    # Without that migration they are, and so are more than it deletes.
    assert list(identity.lost(before, after)) == ["there were 9 fees before, and there are 7 now"]
    fewer = after | {"fees": "6", "latest_migration": "20250402135038"}
    assert list(identity.lost(before, fewer)) == ["there were 9 fees before, and there are 6 now"]


def test_lines_are_names_and_values():
    assert identity.parsed(["customers\t12", "noise", "size\t5"]) == {"customers": "12", "size": "5"}


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        BEFORE | {"customers": "13", "events": "4000"},
        BEFORE | {"queued": "0", "retry": "0", "schedule": "0", "processed": "56"},
        BEFORE | {"migrations": "409"},
    ],
)
def test_what_is_still_there_is_not_missed(after):
    assert not list(identity.lost(BEFORE, after))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (BEFORE | {"system_identifier": "78"}, "this is another PostgreSQL cluster than before"),
        ({}, "the database that was there before can no longer be read"),
        (BEFORE | {"customers": "11"}, "there were 12 customers before, and there are 11 now"),
        (
            {k: v for k, v in BEFORE.items() if k != "events"},
            "there were 1000 events before, and there are 0 now",
        ),
        (BEFORE | {"queued": "1"}, "6 jobs were waiting, 4 are now, and only 0 have run since"),
        (
            BEFORE | {"queued": "0", "processed": "52"},
            "6 jobs were waiting, 3 are now, and only 2 have run since",
        ),
        (
            BEFORE | {"processed": "0"},
            "this is not the same Redis as before: its count of finished jobs has gone down",
        ),
    ],
)
def test_what_is_gone_is_said(after, said):
    assert list(identity.lost(BEFORE, after)) == [said]


def test_what_was_added_is_counted():
    assert identity.grown(BEFORE, BEFORE | {"customers": "14", "events": "1001"}) == "2 customers, 1 events"
    assert identity.grown(BEFORE, BEFORE) == ""
