"""What lago-acceptance upgrade-check says: the verdict first, then what was found and what is ahead."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.checks.upgrade import aim_of, constraints, jobs, others, room, schema
from lago_acceptance.cli import upgrade_check, upgrade_report
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import MIGRATE
from lago_acceptance.core.verdicts import Blocked, Unknown, UsageError
from lago_acceptance.deploy import placed
from lago_acceptance.facts.collect import ONLY
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.upgrade_path import named
from lago_acceptance.lago.upgrades import Proof, Stop, Task
from lago_acceptance.targets import which_lago
from tests.support.facts import SETTINGS, ids, lago, stamp
from tests.support.upgrade import applied, half, host, job, with_part

FEES = {"fees.organization_id": 7, "fees.billing_entity_id": 7}
FILLS = "PopulateFeesWithBillingEntityIdJob"
HALF = half("v1.16.0", "v1.26.0", 83)


def told(facts, to="v1.26.0"):
    return upgrade_report.made(facts, SETTINGS, named(to) if to else None)


def text_of(facts, to="v1.26.0"):
    return "\n".join(upgrade_report.as_text(told(facts, to)))


@pytest.mark.parametrize(
    ("tag", "to", "verdict"),
    [
        ("v1.16.0", None, "this database is at v1.16.0's schema, and ready for v1.25.0"),
        (
            "v1.16.0",
            "v1.26.0",
            "this database is at v1.16.0's schema, and ready for v1.25.0, the next release on the way to v1.26.0",
        ),
        ("v1.25.0", "v1.26.0", "this database is at v1.25.0's schema, and ready for v1.26.0"),
        ("v1.29.0", None, "this database is at v1.29.0's schema, and ready for v1.32.0"),
        (
            "v1.26.0",
            "v1.26.0",
            "this database is at v1.26.0's schema: there is nothing to upgrade to v1.26.0",
        ),
    ],
)
def test_a_healthy_host_is_ready_for_the_next_release(tag, to, verdict):
    found = told(host(tag), to)
    assert (found.verdict, found.ready, ids(found.findings)) == (verdict, True, [])


def test_what_a_stop_will_fill_in_is_ahead_and_not_red():
    found = told(host("v1.16.0"))
    assert {(each.table, each.left, each.state) for each in found.ahead} >= {
        ("fees", None, "the column comes on the way, with v1.17.0")
    }
    assert found.ready and found.stops == ()


def test_the_stops_that_were_reached_are_told_with_what_they_have_left():
    assert "  v1.25.0: nothing is left that can be seen" in text_of(host("v1.25.0"))
    assert "  v1.25.0: not done: 7 of 7 fees lack a billing entity" in text_of(host("v1.25.0", left=FEES))


def test_an_older_release_is_no_upgrade():
    with pytest.raises(UsageError, match="older than v1.25.0"):
        told(host("v1.25.0"), "v1.16.0")


def test_rows_without_what_the_next_release_validates_are_red_by_table_and_count():
    found = told(host("v1.25.0", left=FEES, jobs=(job(FILLS, "queue low_priority"),)))
    assert not found.ready and found.verdict == (
        "this database is at v1.25.0's schema; it is not ready for v1.26.0: 7 of 7 fees lack a billing entity "
        "(fees.billing_entity_id); 7 of 7 fees lack an organization (fees.organization_id)"
    )
    [open_] = (each for each in found.findings if each.id == "upgrade-constraint-open")
    assert "billing entity" in open_.problem and "20250402152130" in open_.impact
    assert "wait until the jobs have ended" in open_.fix


def test_a_table_that_could_not_be_counted_is_not_taken_for_filled():
    seen = ("sample", 10**6, True, 10**9, 0.0, 0, None, 10_000)
    facts = with_part(host("v1.25.0"), "fees", "organization_id IS NULL", *seen)
    with pytest.raises(Unknown, match=r"fees\.organization_id could not be counted"):
        list(constraints.hold(facts, named("v1.26.0")))
    found = told(facts)
    assert not found.ready and "can't be judged" in found.verdict
    assert "not counted: the table is large" in text_of(facts)


def test_an_estimate_and_a_lower_bound_say_so():
    facts = host("v1.25.0", jobs=(job(FILLS, "retry", error="PG::Deadlock"),))
    for seen, said in (
        (("index", 10**6, True, 10**9, 0.5, 1001), "about 500,000 of about 1,000,000 fees lack"),
        (("index", 10**6, True, 10**9, None, 1001), "at least 1,000 of about 1,000,000 fees lack"),
        (("index", 10**6, True, 10**9, 0.0, 3), "3 of about 1,000,000 fees lack"),
    ):
        changed = with_part(facts, "fees", "billing_entity_id IS NULL", *seen)
        assert said in told(changed).verdict


def test_a_job_that_died_tells_of_the_rows_that_it_left():
    facts = host("v1.25.0", left={"fees.billing_entity_id": 5}, jobs=(job(FILLS, "dead", error="PG::Boom"),))
    [found] = jobs.have_run(facts, named("v1.26.0"))
    assert found.id == "upgrade-job-dead" and found.severity is Severity.ERROR
    assert "PG::Boom; 5 of 7 fees lack a billing entity" in found.problem and "1 hour ago" in found.problem
    assert told(facts).unjudged == ()


def test_what_a_stop_asks_for_that_no_release_validates_is_a_warning(monkeypatch):
    proof = Proof(says="", table="wallets", undone="NOT traceable", columns=("traceable",))
    task = Task(command="DRY_RUN=false bundle exec rails migrations:wallet_traceability")
    stop = Stop(tag="v1.45.0", data="which wallet credits were consumed", task=(task,), proof=(proof,))
    monkeypatch.setattr(upgrades, "stops", lambda: (stop,))
    facts = with_part(host("v1.51.0"), "wallets", "NOT traceable", "small", 7, True, 8192, None, 2, 7)
    [found] = jobs.have_run(facts, None)
    assert (found.id, found.severity) == ("upgrade-job-never-started", Severity.WARNING)
    assert "what v1.45.0 asks for has not been done" in found.problem
    assert "2 of 7 wallets are left (NOT traceable)" in found.problem
    assert 'sh -c "DRY_RUN=false bundle exec rails migrations:wallet_traceability"' in found.fix
    assert told(facts, None).ready


def test_migrations_that_ended_half_way_are_the_one_cause():
    container = next(each for each in lago() if each.role == MIGRATE)
    line = f"{stamp(3600)} StandardError: An error has occurred, this and all later migrations canceled:"
    facts = host("v1.25.0", "v1.26.0", FEES, applied=HALF, logs={container.id: line})
    found = told(facts)
    assert ids(found.findings) == ["upgrade-half-migrated"] and found.unjudged == () and not found.ready
    [cause] = found.findings
    assert "between v1.25.0 and v1.26.0" in cause.problem and "(1 hour)" in cause.problem
    assert "34 of the image's 525 migrations have not run" in cause.problem
    assert "20250402152130_migration" in cause.problem and "7 of 7 fees lack" in cause.problem
    assert "events are taken in" in cause.impact and "nothing is billed" in cause.impact
    assert "db:migrate" in cause.fix and "rollback HOST" in cause.fix and "PopulateFees" in cause.fix
    for check in (
        lambda: constraints.hold(facts, None),
        lambda: jobs.have_run(facts, None),
        lambda: others.are_not_in_the_way(facts),
    ):
        with pytest.raises(Blocked) as blocked:
            list(check())
        assert blocked.value.by == "upgrade-half-migrated"


def test_an_image_that_is_older_than_the_schema():
    found = told(host("v1.26.0", "v1.16.0"), "v1.29.0")
    assert ids(found.findings) == ["upgrade-image-older-than-schema"] and found.unjudged == ()
    assert "117 migrations" in found.findings[0].problem and "nothing is billed" in found.findings[0].impact
    assert "deploy v1.26.0 again" in found.findings[0].fix


def test_an_image_that_is_newer_than_the_schema_is_not_migrated_over_a_stop():
    [found] = told(host("v1.16.0", "v1.26.0")).findings
    assert (
        found.id == "upgrade-image-newer-than-schema"
        and "117 of its migrations have not run" in found.problem
    )
    assert "don't migrate: the way leads over v1.25.0" in found.fix
    [folded] = schema.is_a_releases(host("v1.16.0", "v1.32.0"), SETTINGS)
    assert "its folded migration refuses a database that is older than v1.19.1" in folded.fix
    [plain] = schema.is_a_releases(host("v1.29.0", "v1.30.0"), SETTINGS)
    assert plain.fix.startswith("docker exec lago-api-1 bundle exec rails db:migrate")


def test_a_database_from_before_the_table_of_releases():
    facts = host("v1.0.0", applied=("20220101000000",))
    assert ids(schema.is_a_releases(facts, SETTINGS)) == ["upgrade-database-too-old"]
    assert "can't be judged" in told(facts).verdict and not told(facts).ready


def test_a_database_from_after_the_table_of_releases():
    facts = host("v1.51.0", applied=(*applied("v1.51.0"), "20300101000000"))
    with pytest.raises(Unknown, match="is newer than v1.51.0, the last release known here"):
        aim_of(facts, None)
    assert not told(facts, None).ready


def test_locks_and_times_come_from_the_sizes():
    seen = ("index", 10**6, True, 300 * room.MIB, 0.0, 0)
    facts = with_part(host("v1.25.0"), "fees", "organization_id IS NULL", *seen)
    text = text_of(facts)
    assert "about 1,000,000 rows  300 MiB      about 3 s  0 left" in text
    assert "VALIDATE CONSTRAINT reads the table once under SHARE UPDATE EXCLUSIVE" in text
    assert "SET NOT NULL takes ACCESS EXCLUSIVE for a moment" in text and "100 MB/s" in text
    assert "PostgreSQL took 40 ms to answer" in text


def test_the_report_as_json_has_the_same():
    found = json.loads(upgrade_report.as_json(told(host("v1.25.0", left=FEES))))
    assert not found["ready"] and found["schema"] == "v1.25.0's schema" and found["to"] == "v1.26.0"
    [fees] = (e for e in found["ahead"] if (e["table"], e["column"]) == ("fees", "organization_id"))
    assert fees["left"] == {"number": 7, "kind": "exact"} and fees["migration"] == "20250409140720"
    assert [each["id"] for each in found["findings"]] == ["upgrade-job-never-started"]


@pytest.mark.parametrize(
    ("facts", "words", "code", "line"),
    [
        (host("v1.25.0"), ["v1.26.0"], 0, "this database is at v1.25.0's schema, and ready for v1.26.0"),
        (host("v1.25.0", left=FEES), ["v1.26.0"], 1, "it is not ready for v1.26.0: 7 of 7 fees lack"),
        (host("v1.25.0", left=FEES), ["--json"], 1, '"ready": false'),
    ],
)
def test_the_exit_code_says_whether_the_upgrade_may_begin(facts, words, code, line, monkeypatch, capsys):
    looks = []
    monkeypatch.setattr(placed, "observe", lambda *_, **how: looks.append(how["upgrade"]) or facts)
    monkeypatch.setattr(which_lago, "must_be_there", lambda *_: None)
    assert upgrade_check.run(["local", *words]) == code
    assert line in capsys.readouterr().out and looks == [ONLY]


@pytest.mark.parametrize("to", ["v9.9.9", "latest", "1.26", "v1.16.1"])
def test_what_is_no_release_is_refused_before_the_host_is_looked_at(to, monkeypatch):
    monkeypatch.setattr(placed, "observe", lambda *_, **__: pytest.fail("the host was looked at"))
    with pytest.raises(UsageError, match="is not a release of Lago|under another number"):
        upgrade_check.run(["local", to])
