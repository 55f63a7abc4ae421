"""Which release a dump is of, and which images lie on the way from there."""

from __future__ import annotations

import pytest

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy.dumped_release import on_host, references, release_of, tag_in
from lago_acceptance.deploy.rehearsal_source import Source

OF_1_16_0, OF_1_26_1, HALF_WAY = "20241119110219", "20250425130412", "20250402152100"


def source(reference):
    return Source(db_image="db", redis_image="redis", lago_image="sha256:1", lago_reference=reference)


def test_the_latest_migration_says_which_release_it_is():
    assert release_of(["20220525122759", OF_1_16_0, "20241107093418"]).tag == "v1.16.0"


def test_of_several_releases_with_one_schema_the_one_that_runs_is_taken():
    both = ["20240712090133"]
    assert release_of(both).tag == "v1.7.0"
    assert release_of(both, "v1.6.4").tag == "v1.6.4"
    assert release_of(both, "v1.16.0").tag == "v1.7.0"


def test_a_release_whose_number_is_wrong_is_called_by_the_right_one():
    assert release_of([OF_1_26_1]).tag.startswith("v1.26.")


@pytest.mark.parametrize(
    ("migrations", "said"),
    [
        ([], "is none, and v1.0.0"),
        (["20220525122759"], "the oldest release known here"),
        (["20990101000000"], "newer than that, or a fork's"),
        ([OF_1_16_0, HALF_WAY], "between v1.25.0 and v1.26.0: a migration has failed half-way"),
    ],
)
def test_a_schema_of_no_release_is_one_sentence(migrations, said):
    with pytest.raises(UsageError) as refused:
        release_of(migrations)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("getlago/api:v1.16.0", "getlago/api:v1.26.0"),
        ("registry.local:5000/mirror/api:1.16.0", "registry.local:5000/mirror/api:1.26.0"),
        ("getlago/api:v1.16.0@sha256:0123", "getlago/api:v1.26.0"),
    ],
)
def test_a_mirrors_repository_and_way_of_writing_tags_stay(reference, image):
    assert references(reference, "", ["v1.26.0"]) == {"v1.26.0": image}


@pytest.mark.parametrize(
    "reference",
    ["getlago/api:latest", "acme/lago:v1.16.0-acme3", "acme/lago", "localhost:5000/api", "sha256:0123"],
)
def test_a_reference_without_a_release_needs_a_repository(reference):
    with pytest.raises(UsageError, match="--image-repository"):
        references(reference, "", ["v1.26.0"])
    assert references(reference, "getlago/api", ["v1.26.0"]) == {"v1.26.0": "getlago/api:v1.26.0"}


def test_the_running_image_stands_for_its_own_release():
    found = on_host(source("getlago/api:v1.16.0"), "", ["v1.16.0", "v1.25.0"])
    assert found == {"v1.16.0": "sha256:1", "v1.25.0": "getlago/api:v1.25.0"}
    assert tag_in("getlago/api:latest") == ""
    assert on_host(source("getlago/api:latest"), "mirror/api", ["v1.25.0"]) == {
        "v1.25.0": "mirror/api:v1.25.0"
    }
