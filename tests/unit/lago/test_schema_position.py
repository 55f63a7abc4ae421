"""Which release's schema a database has."""

from __future__ import annotations

import pytest

from lago_acceptance.lago.release_table import newest, releases
from lago_acceptance.lago.schema_position import migrations_between, position, rows_for
from lago_acceptance.lago.upgrades import numbers


def _release(tag: str):
    return releases()[numbers(tag)]


@pytest.mark.parametrize("release", releases().values(), ids=lambda each: each.tag)
def test_a_database_with_the_migrations_of_a_release_is_at_it(release):
    found = position(release.migrations, release.newest_migration)
    assert found and found.exact
    assert (found.release.migrations, found.release.newest_migration) == (
        release.migrations,
        release.newest_migration,
    )


@pytest.mark.parametrize(
    ("count", "latest", "at", "following"),
    [
        # What v1.26.0's migrations left of v1.16.0's database (491 of 525).
        (491, "20250402151113", "v1.25.0", "v1.26.0"),
        # The newest migration of v1.23.0 is that of v1.22.1, which has two fewer.
        (469, "20250303104151", "v1.22.1", "v1.23.0"),
        (407, "20241119110219", "v1.15.2", "v1.16.0"),
        (800, "20250725000000", "v1.32.0", "v1.32.1"),
    ],
)
def test_a_database_between_two_releases_is_at_neither(count, latest, at, following):
    found = position(count, latest)
    assert found and not found.exact
    assert found.following
    assert (found.release.tag, found.following.tag) == (at, following)


def test_where_migrations_were_folded_their_number_does_not_count():
    walked, fresh = position(800, "20250724104251"), position(348, "20250724104251")
    assert walked == fresh
    assert walked and walked.exact and walked.release.tag == "v1.32.0"


def test_migrations_that_no_release_has_are_beyond_the_table():
    found = position(409, "20990101000000")
    assert found and found.beyond and found.release == newest()


@pytest.mark.parametrize(("count", "latest"), [(None, None), (0, None), (10, "20200101000000")])
def test_a_database_that_is_not_of_a_known_release_is_nowhere(count, latest):
    assert position(count, latest) is None


@pytest.mark.parametrize(
    ("older", "newer", "between"),
    [
        ("v1.16.0", "v1.26.0", 117),
        ("v1.20.0", "v1.20.2", 0),
        ("v1.16.1", "v1.26.1", 0),
        ("v1.19.1", "v1.20.1", 0),
        ("v1.22.1", "v1.23.0", 2),
        ("v1.30.0", "v1.31.0", 1),
    ],
)
def test_releases_have_the_same_schema_or_migrations_between_them(older, newer, between):
    assert migrations_between(_release(older), _release(newer)) == between


@pytest.mark.parametrize(
    ("files", "first", "rows"), [(525, "20220525122759", 525), (227, "20250122112050", 676)]
)
def test_a_database_has_a_row_for_each_file_and_for_those_that_were_folded(files, first, rows):
    assert rows_for(files, first) == rows
