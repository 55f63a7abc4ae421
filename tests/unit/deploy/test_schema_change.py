"""A new image against the database's own schema, which counts whatever the files on the host say."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.deploy import schema_change
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess
from lago_acceptance.facts.types import Facts
from tests.support.deploy.planned import AT, PLAN, facts_at, plan_of
from tests.support.facts import container, facts

OWN = load(SETTINGS)


def _ids(plan: Plan, seen: Facts, *despite: str) -> list[str]:
    return [each.id for each in schema_change.errors(plan, seen, OWN, despite)]


@pytest.mark.parametrize(
    ("schema", "tag", "refused"),
    [
        ("v1.16.0", "v1.16.0", []),
        ("v1.16.0", "v1.17.0", []),
        ("v1.16.0", "v1.26.0", ["upgrade-skips-a-stop"]),
        ("v1.16.0", "v1.16.1", ["upgrade-skips-a-stop"]),
        ("v1.16.0", "v1.15.2", ["image-goes-back"]),
        ("v1.26.0", "v1.16.0", ["image-goes-back"]),
        ("v1.20.0", "v1.19.1", []),
        ("v1.25.0", "v1.26.0", []),
        ("half of v1.26.0", "v1.26.0", ["upgrade-skips-a-stop"]),
        ("half of v1.26.0", "v1.16.0", ["image-goes-back"]),
        ("later than any", "v1.16.0", ["image-goes-back"]),
        ("later than any", "v9.9.9", []),
        # Whose release it is, nobody knows.
        ("v1.26.0", "main", []),
    ],
)
def test_the_schema_decides_what_may_be_deployed(schema, tag, refused):
    assert _ids(plan_of(tag), facts_at(schema)) == refused


@pytest.mark.parametrize("database", [None, DatabaseAnswers()])
def test_an_empty_database_or_one_that_says_nothing_refuses_nothing(database):
    assert not _ids(plan_of("v1.26.0"), facts(database=database))


def test_a_way_back_says_what_happens_and_what_restores():
    (found,) = schema_change.errors(plan_of("v1.16.0"), facts_at("v1.26.0"), OWN)
    assert (
        "from v1.26.0 (the database's schema: 525 migrations, up to 20250425130412) to v1.16.0"
        in found.problem
    )
    assert "over 117 migrations" in found.problem
    assert "/health stays 200" in found.impact and "(500)" in found.impact
    assert "lago-acceptance rollback HOST restores the dump" in found.fix


def test_half_an_upgrade_says_how_to_go_back_and_how_to_go_on():
    (found,) = schema_change.errors(plan_of("v1.26.0"), facts_at("half of v1.26.0"), OWN)
    assert "between v1.25.0 and v1.26.0 (491 migrations, up to 20250402151113)" in found.problem
    for said in (
        "back: lago-acceptance rollback HOST",
        "--via",
        "forward: lago-acceptance upgrade-check HOST v1.26.0",
        "lago-acceptance upgrade-path v1.25.0 v1.26.0",
        "--despite upgrade-skips-a-stop",
    ):
        assert said in found.fix


def test_what_the_operator_accepts_is_not_refused():
    assert not _ids(plan_of("v1.16.0"), facts_at("v1.26.0"), "image-goes-back")
    assert _ids(plan_of("v1.16.0"), facts_at("v1.26.0"), "upgrade-skips-a-stop") == ["image-goes-back"]


def test_the_image_that_made_the_schema_may_be_deployed_again():
    """An image of one's own may have migrations that no release has."""
    count, latest = AT["later than any"]
    api = container("api", image_id="sha256:own")
    own = LagoProcess(migrations=("20210101000000", latest), migration_count=count)
    plan = plan_of("v1.16.0-own", images={"getlago/api:v1.16.0-own": "sha256:own"})
    runs = facts_at("later than any", containers=(api,), lago={"api": own})
    assert not _ids(plan, runs)
    other = msgspec.structs.replace(plan, images={"getlago/api:v1.16.0-own": "sha256:another"})
    assert _ids(other, runs) == ["image-goes-back"]
    without_its_migrations = msgspec.structs.replace(own, migrations=("1", "2"))
    assert _ids(
        plan, facts_at("later than any", containers=(api,), lago={"api": without_its_migrations})
    ) == ["image-goes-back"]


# --- a database that does not answer ---


CHANGED = {"docker-compose.lago.yml": b"another"}


@pytest.mark.parametrize("containers", [(), PLAN.containers])
def test_a_release_is_not_changed_over_a_database_that_does_not_answer(containers):
    (said,) = schema_change.unseen(plan_of("v1.26.0", new=CHANGED, containers=containers), facts())
    assert "the database in lago_data does not answer" in said
    assert "docker compose up -d in /root/lago" in said


@pytest.mark.parametrize(
    ("plan", "seen"),
    [
        (plan_of("v1.26.0", new=CHANGED), facts_at("v1.25.0")),
        # The release that runs stays.
        (plan_of("v1.16.0", new=CHANGED), facts()),
        # The same files, whose containers are gone.
        (plan_of("v1.16.0", containers=()), facts()),
        # A first deploy.
        (plan_of("v1.26.0", new=CHANGED, volumes=(), containers=()), facts()),
    ],
)
def test_otherwise_a_database_need_not_answer(plan, seen):
    assert not list(schema_change.unseen(plan, seen))
