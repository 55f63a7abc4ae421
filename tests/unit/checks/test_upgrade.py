"""What the checks of an upgrade say about hosts on the way between two releases."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks.upgrade import aim_of, constraints, jobs, others, room, schema
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess
from lago_acceptance.facts.upgrade import Room, UpgradeAnswers
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.upgrade_path import named
from lago_acceptance.lago.upgrades import Constraint
from tests.support.facts import SETTINGS, ids
from tests.support.upgrade import GIB, applied, half, host, job, with_part

FEES = {"fees.organization_id": 7, "fees.billing_entity_id": 7}
FILLS = "PopulateFeesWithBillingEntityIdJob"
HALF = half("v1.16.0", "v1.26.0", 83)


def test_of_a_folded_image_the_old_migrations_count_as_applied():
    facts = host("v1.32.0")
    assert ids(schema.is_a_releases(facts, SETTINGS)) == []
    assert aim_of(facts, None).state.at.tag == "v1.32.0"


def test_all_that_is_filled_in_is_green():
    assert ids(constraints.hold(host("v1.25.0"), named("v1.26.0"))) == []


def test_rows_that_no_job_fills_in_are_to_be_looked_at(monkeypatch):
    code = Constraint(
        required_from="v1.26.0",
        table="coupons",
        column="code",
        undone="code IS NULL",
        column_since="",
        filled_by=(),
        job_since="",
        migration="20250409140720",
    )
    monkeypatch.setattr(upgrades, "constraints", lambda: (code,))
    facts = with_part(host("v1.25.0"), "coupons", "code IS NULL", "small", 7, True, 8192, None, 1, 7)
    [found] = constraints.hold(facts, named("v1.26.0"))
    assert found.id == "upgrade-constraint-open" and "1 of 7 coupons lack a code" in found.problem
    assert (
        "no job of Lago's fills this in: look at the rows (SELECT * FROM coupons WHERE code IS NULL"
        in found.fix
    )


def test_rows_are_left_and_no_job_was_started():
    facts = host("v1.25.0", left=FEES)
    [found] = jobs.have_run(facts, named("v1.26.0"))
    assert found.id == "upgrade-job-never-started" and found.severity is Severity.ERROR
    assert "PopulateFeesWithOrganizationFromInvoiceJob.perform_now', then its 2 other tasks" in found.fix
    with pytest.raises(Blocked) as blocked:
        list(constraints.hold(facts, named("v1.26.0")))
    assert blocked.value.by == found.id


@pytest.mark.parametrize(
    ("tag", "name", "impact"),
    [
        ("v1.25.0", FILLS, "none any more: what it should have filled in is there"),
        ("v1.16.0", FILLS, "of a later release than this database's"),
        ("v1.51.0", "BackfillLastReceivedEventOnJob", "no release known here refuses to start for it"),
    ],
)
def test_a_job_that_died_where_no_row_is_left_is_a_warning(tag, name, impact):
    [found] = jobs.have_run(host(tag, jobs=(job(name, "dead", error="x"),)), None)
    assert (found.id, found.severity) == ("upgrade-job-dead", Severity.WARNING) and impact in found.impact


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("queue low_priority", "in the queue low_priority, since"),
        ("retry", "retried after: PG::Deadlock"),
        ("schedule", "wait for their time"),
    ],
)
def test_jobs_that_are_not_done_are_told(place, words):
    [found] = jobs.have_run(
        host("v1.25.0", jobs=(job(FILLS, place, error="PG::Deadlock"),)), named("v1.26.0")
    )
    assert (found.id, found.severity) == ("upgrade-job-waiting", Severity.WARNING) and words in found.problem


def test_without_jobs_and_rows_nothing_is_said():
    assert ids(jobs.have_run(host("v1.25.0"), named("v1.26.0"))) == []


def test_jobs_that_redis_did_not_report_are_not_known():
    with pytest.raises(Unknown, match="did not report the jobs"):
        list(jobs.have_run(host("v1.25.0", jobs=None), named("v1.26.0")))
    assert ids(constraints.hold(host("v1.25.0", jobs=None, left=FEES), named("v1.26.0"))) == [
        "upgrade-constraint-open"
    ]


@pytest.mark.parametrize("image", ["v1.16.0", ""])
def test_a_half_migrated_schema_is_seen_whatever_image_runs(image):
    [cause] = schema.is_a_releases(host("v1.16.0", image, FEES, applied=HALF), SETTINGS)
    assert cause.id == "upgrade-half-migrated" and "20250402152130" in cause.problem
    assert cause.problem.endswith("and the image that runs is older (v1.16.0)")


def test_half_the_migrations_without_an_open_constraint_lead_on_by_migrating():
    [cause] = schema.is_a_releases(host("v1.25.0", "v1.26.0", applied=HALF), SETTINGS)
    assert (
        "go forward with the image of v1.26.0: docker exec lago-api-1 bundle exec rails db:migrate"
        in cause.fix
    )


def test_migrations_that_the_image_lacks_are_a_forks():
    facts = host("v1.25.0", applied=(*applied("v1.25.0"), "20250101010101"))
    [found] = schema.is_a_releases(facts, SETTINGS)
    assert found.id == "upgrade-foreign-migrations" and "20250101010101" in found.problem


def test_an_image_whose_migrations_are_no_releases_is_told():
    own = (*applied("v1.25.0"), "20250403000000")
    facts = host("v1.25.0", applied=own)
    api = facts.running(API)
    facts = msgspec.structs.replace(
        facts, lago={api.id: LagoProcess(migration_files=tuple(f"{each}_x" for each in own))}
    )
    [found] = schema.is_a_releases(facts, SETTINGS)
    assert (found.id, found.severity) == ("upgrade-unknown-release", Severity.WARNING)


@pytest.mark.parametrize(
    ("schema_of", "tag", "found"),
    [
        ("v1.25.0", "v1.25.0", []),
        ("v1.26.0", "v1.16.0", ["upgrade-image-older-than-schema"]),
        ("v1.16.0", "v1.26.0", ["upgrade-image-newer-than-schema"]),
        ("v1.26.0", "v1.16.1", ["upgrade-image-newer-than-schema"]),
    ],
)
def test_an_image_that_nothing_could_list_is_taken_by_its_tag(schema_of, tag, found):
    assert ids(schema.is_a_releases(host(tag, "", applied=applied(schema_of)), SETTINGS)) == found


def test_without_an_api_it_is_not_known_which_image_runs():
    with pytest.raises(Unknown, match="no API runs that could list them"):
        list(schema.is_a_releases(host("v1.25.0", "", containers=()), SETTINGS))


def test_tables_and_columns_of_others():
    assert ids(others.are_not_in_the_way(host("v1.25.0"))) == []
    table = host("v1.25.0", database=DatabaseAnswers(tables=("fees", "customers", "our_notes")))
    [found] = others.are_not_in_the_way(table)
    assert (found.id, found.severity) == ("upgrade-foreign-table", Severity.WARNING)
    assert "our_notes" in found.problem
    early = with_part(host("v1.16.0"), "fees", "organization_id IS NULL", "small", 7, True, 8192, None, 7, 7)
    [column] = others.are_not_in_the_way(early)
    assert column.id == "upgrade-foreign-column" and "fees.organization_id" in column.problem
    unread = host("v1.25.0", lago={})
    with pytest.raises(Unknown, match="schema file could not be read"):
        list(others.are_not_in_the_way(unread))


def test_a_database_that_did_not_answer_is_not_judged():
    with pytest.raises(Unknown, match="did not answer what an upgrade needs to know: ERROR"):
        aim_of(host("v1.25.0", upgrade=UpgradeAnswers(error="ERROR: permission denied")), None)
    with pytest.raises(Unknown, match="did not answer what an upgrade needs to know"):
        aim_of(host("v1.25.0", complete=False), None)
    with pytest.raises(Unknown, match="did not answer what an upgrade needs to know"):
        aim_of(host("v1.25.0", parts={}), None)
    with pytest.raises(Blocked, match="never migrated"):
        aim_of(host("v1.25.0", applied=()), None)


def test_room_for_a_dump_and_a_copy():
    assert ids(room.is_there(host(size=GIB, rooms=(Room("/", 3 * GIB),)))) == []
    [found] = room.is_there(host(size=GIB, rooms=(Room("/", GIB + 1),)))
    assert (
        found.id == "upgrade-disk" and "a dump and a copy of the database may need 2048 MiB" in found.problem
    )
    apart = (Room("/srv", GIB // 2), Room("/var/lib/docker", GIB // 2))
    found = list(room.is_there(host(size=GIB, rooms=apart)))
    assert ["/srv" in each.problem for each in found] == [True, False]
    with pytest.raises(Unknown, match="free space"):
        list(room.is_there(host(rooms=())))
