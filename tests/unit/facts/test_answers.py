"""What scripts answer becomes structs; whatever is missing or of another type is not known, and nothing crashes."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.facts import answers, sidekiq
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess, SignAnswer, decode
from lago_acceptance.facts.redis_answers import RedisAnswers
from tests.support.facts import NOW, container, facts

WHOLE = {
    "number": 0,
    "processes": [{"info": {"queues": ["default"]}, "beat": NOW}],
    "queues": [{"name": "default", "length": 2, "oldest": NOW - 60}],
    "dead": [{"class": "GenerateJob", "error": "boom", "at": NOW}],
    "processed": 5,
    "failed": 1,
}


def test_a_whole_answer_is_read():
    text = json.dumps(
        {
            "exec": True,
            "key": {"public": "ab", "bits": 2048, "private": True, "consistent": True},
            "answers": {"/health": {"status": 200, "type": "application/json"}},
            "with_key": True,
            "inside": {"health": [200, "{}"]},
            "migrations": ["1", "2"],
            "migration_count": 408,
            "signals": ["TERM"],
            "addresses": {"lago-db": ["172.20.0.2"]},
            "of_a_newer_script": 1,
        }
    )
    process = answers.lago_process(f"a warning of Ruby's\n{text}")
    assert process.key.bits == 2048 and process.status("/health") == 200 and process.status("/other") is None
    assert process.inside == {"health": (200, "{}")}
    assert process.signals == ("TERM",) and process.addresses == {"lago-db": ("172.20.0.2",)}
    assert (process.migrations, process.migration_count, process.error) == (("1", "2"), 408, "")


@pytest.mark.parametrize(
    "raw", [{}, [], None, "text", {"key": "no object", "answers": [], "inside": {"health": "cut"}, "exec": 7}]
)
def test_what_a_process_did_not_say_is_not_known(raw):
    assert decode(LagoProcess, raw) == LagoProcess()


@pytest.mark.parametrize("text", ["", '{"exec": true, "ke', "Killed"])
def test_an_answer_that_was_cut_is_an_error(text):
    process = answers.lago_process(text)
    assert process.error and process.exec is None


def test_one_field_of_another_type_hides_no_other():
    key = decode(LagoProcess, {"key": {"public": "ab", "bits": "many", "private": False}}).key
    assert (key.public, key.bits, key.private) == ("ab", None, False)


@pytest.mark.parametrize("lost", WHOLE)
def test_redis_without_one_of_its_answers_is_not_known(lost):
    def read(database: dict):
        answers = decode(RedisAnswers, {"policy": "noeviction", "databases": [database]})
        return sidekiq.as_enqueued_to(facts(container("api"), redis=answers))

    found = read(WHOLE)
    assert found.readers == (("default",),) and found.dead[0].name == "GenerateJob"
    partial = read({name: value for name, value in WHOLE.items() if name != lost})
    # A database without a number is none that the API enqueues to.
    assert partial is None if lost != "number" else partial.readers == ()


def test_luas_empty_lists_are_empty():
    database = {**WHOLE, "processes": {}, "queues": {}, "dead": {}}
    answers = decode(RedisAnswers, {"databases": [database]})
    assert (answers.databases[0].processes, answers.databases[0].dead) == ((), ())


def test_the_database_answers_by_name_and_the_rest_is_what_went_wrong():
    lines = (
        'directory\t"/var/lib"',
        'migrations\t{"count": 2, "latest": "20"}',
        'invoices_failed\t{"count": 1, "oldest": 1.5, "examples": ["a"]}',
        "ERROR:  relation x does not exist",
        "of_a_newer_script\t[1]",
        'tables\t["a',
    )
    found, error = answers.database({"db": "\n".join(lines)})
    assert found == DatabaseAnswers(
        directory="/var/lib",
        migrations=AppliedMigrations(2, "20"),
        signs={"invoices_failed": SignAnswer(1, 1.5, ("a",))},
    )
    assert "relation x" in error and "tables" in error
    assert answers.database({"db": "psql: error: refused"}) == (None, "psql: error: refused")
