"""The stand-in for Lago's API has the releases of the table, with their migrations."""

from __future__ import annotations

import csv
import re

import pytest

from lago_acceptance.images import resolve, standins
from lago_acceptance.lago.release_table import releases
from lago_acceptance.lago.upgrades import FOLDED_IN, numbers
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Service
from tests.support.facts import SETTINGS

ROWS = standins.FOLDER / "lago-api" / "later" / "releases.tsv"

FOLDED = 449
"""How many migrations the folded one stands for beside itself: the real one writes them into schema_migrations."""


def rows() -> list[dict[str, str]]:
    with ROWS.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.mark.parametrize("row", [row for row in rows() if row["release"]], ids=lambda row: row["release"])
def test_a_release_has_as_many_migrations_as_the_real_one(row):
    real = releases()[numbers(row["release"])]
    files = int(row["migrations"]) - (FOLDED if real.numbers >= FOLDED_IN else 0)
    assert (files, row["newest_migration"]) == (real.migrations, real.newest_migration)


def test_each_release_has_an_image_of_its_own_whose_tag_says_which():
    known = standins.releases("lago-api")
    tags = [standins.tag("lago-api", each) for each in known]
    assert len(set(tags)) == len(known) > 1
    assert tags[0] == standins.tag("lago-api")
    for release, tag in zip(known[1:], tags[1:], strict=True):
        assert re.fullmatch(rf"lago-acceptance/lago-api:{release}-[0-9a-f]{{12}}", tag)
        assert version_of(Service(name="lago-api", image=tag, role="api"), SETTINGS) == numbers(release)


@pytest.mark.parametrize("repository", ["getlago/api", "getlago/front"])
def test_a_stand_in_is_for_these_releases_and_no_other(repository):
    known = resolve.STAND_INS[repository]
    assert all(re.fullmatch(known.pattern, each) for each in standins.releases("lago-api"))
    for other in ("v1.16.1", "v1.20.0", "v1.26.00", "v1.26.0-rc1", "latest"):
        assert not re.fullmatch(known.pattern, other)


def test_what_does_not_differ_by_release_has_none():
    assert standins.releases("redis") == []
