"""What is known of Lago by version: its variables, its releases, and the stops between them."""

from __future__ import annotations

import pytest

from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.settings import load
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.release_table import is_misnumbered, nearest, releases, same_schema
from lago_acceptance.lago.switches import meant_as_on, reads_as_on
from lago_acceptance.lago.variables import API_SIDE, FRONT_SIDE, known, meant
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Service

SETTINGS = load(ROOT / "settings.toml")


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("LAGO_DISABLE_SIGN_UP", "LAGO_DISABLE_SIGNUP"),
        ("LAGO_REDIS_CACHE_URI", "LAGO_REDIS_CACHE_URL"),
        ("SIDECKIQ_CONCURRENCY", "SIDEKIQ_CONCURRENCY"),
        ("RAILS_LOG_TO_STDOT", "RAILS_LOG_TO_STDOUT"),
        ("SENTRY_DNS", "SENTRY_DSN"),
        ("DISABLE_SIGNUP", "LAGO_DISABLE_SIGNUP"),
        ("LAGO_RAILS_ENV", "RAILS_ENV"),
        ("lago_license", "LAGO_LICENSE"),
        ("LAGO-PDF-URL", "LAGO_PDF_URL"),
        ("LAGO_TELEMETRY", None),
        ("LAGO_DB_PASSWORD", None),
        ("RAILS_MASTER_KEY", None),
        ("MALLOC_ARENA_MAX", None),
        ("REDIS_HOST", None),
        ("POSTGRES_USER", None),
        ("TZ", None),
        ("PATH", None),
        ("VERSION", None),
        ("REDIS_ULR", "REDIS_URL"),
        ("LAGO_AWS_S3_BUCKET_NAME", "LAGO_AWS_S3_BUCKET"),
        ("GOOGLE_CLIENT_ID", None),
    ],
)
def test_a_name_is_taken_for_the_nearest_that_lago_reads(written, right):
    assert meant(written, API_SIDE, (1, 16, 0)) == right


def test_a_name_is_not_taken_for_one_of_another_version():
    assert meant("LAGO_REDIS_SIDEKIQ_SENTINEL", API_SIDE, (1, 45, 0)) == "LAGO_REDIS_SIDEKIQ_SENTINELS"
    assert meant("LAGO_REDIS_SIDEKIQ_SENTINEL", API_SIDE, (1, 16, 0)) is None


def test_variables_came_and_went():
    read = known(API_SIDE)
    assert not read["LAGO_DISABLE_PDF_GENERATION"].read_in((1, 23, 0))
    assert read["LAGO_DISABLE_PDF_GENERATION"].read_in((1, 24, 0))
    assert read["LAGO_ENABLE_YJIT"].read_in((1, 23, 0)) and not read["LAGO_ENABLE_YJIT"].read_in((1, 24, 0))
    assert "LAGO_SUPERSET_URL" in known(FRONT_SIDE) and "LAGO_SUPERSET_URL" not in read


def test_only_one_release_is_newer_than_its_number():
    assert [each.tag for each in releases().values() if is_misnumbered(each)] == ["v1.16.1"]
    assert same_schema(releases()[(1, 16, 1)]).tag == "v1.26.1"


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("getlago/api:v1.16.1", (1, 26, 1)),
        ("getlago/api:v1.16.0", (1, 16, 0)),
        ("getlago/api:v9.9.9", (9, 9, 9)),
        ("example/lago-api:3.7.1", None),
        ("example/lago-api:1.26.0", (1, 26, 0)),
        ("registry:5000/getlago/api", None),
    ],
)
def test_the_version_is_that_of_the_schema(tag, version):
    assert version_of(Service(name="api", image=tag, role="api"), SETTINGS) == version


@pytest.mark.parametrize(
    ("version", "tag"), [((9, 9, 9), "v1.51.0"), ((1, 16, 7), "v1.16.0"), ((0, 9), None)]
)
def test_an_unknown_version_is_judged_like_the_nearest_older_one(version, tag):
    found = nearest(version)
    assert (found.tag if found else None) == tag


@pytest.mark.parametrize(
    ("old", "new", "stops", "broken"),
    [
        ((1, 16, 0), (1, 17, 0), [], []),
        ((1, 16, 0), (1, 26, 0), ["v1.25.0"], ["v1.25.0"]),
        (
            (1, 16, 0),
            (1, 45, 0),
            ["v1.25.0", "v1.29.0", "v1.32.0", "v1.42.0", "v1.44.0"],
            ["v1.25.0", "v1.29.0", "v1.42.0"],
        ),
        ((1, 26, 1), (1, 29, 0), [], []),
        ((1, 33, 0), (1, 42, 0), [], []),
        ((1, 43, 0), (1, 46, 0), ["v1.44.0", "v1.45.0"], []),
        ((1, 26, 0), (1, 16, 0), [], []),
    ],
)
def test_stops_lie_between_two_releases(old, new, stops, broken):
    assert [stop.tag for stop in upgrades.skipped(old, new)] == stops
    assert [stop.tag for stop in upgrades.fatal(old, new)] == broken


def test_what_has_to_run_at_the_stop_that_is_deployed_is_due():
    due = upgrades.due_before((1, 25, 0), (1, 26, 0))
    assert due and due.tag == "v1.25.0"
    assert upgrades.due_before((1, 26, 0), (1, 27, 0)) is None


@pytest.mark.parametrize(
    ("name", "value", "front", "on"),
    [
        ("LAGO_DISABLE_SIGNUP", "True", False, False),
        ("LAGO_DISABLE_SIGNUP", "true", True, True),
        ("SIDEKIQ_EVENTS", "no", False, True),
        ("SIDEKIQ_EVENTS", "0", False, False),
        ("LAGO_CLICKHOUSE_ENABLED", "false", False, True),
        ("LAGO_API_URL", "true", False, None),
    ],
)
def test_a_switch_is_read_as_the_source_does(name, value, front, on):
    assert reads_as_on(name, value, front) is on


def test_a_value_that_says_neither_on_nor_off_is_not_clear():
    assert [meant_as_on(each) for each in ("YES", "off", "5")] == [True, False, None]
