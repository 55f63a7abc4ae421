"""When Rails is asked to write the schema, and what is made of its answer."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import schema_dump
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess
from lago_acceptance.facts.host_state import Machine
from lago_acceptance.facts.schema_dump import Part, SchemaDump, dumped
from lago_acceptance.facts.structure import Structure
from lago_acceptance.hosts.base import Host, ReadCommand
from tests.support.facts import SETTINGS, container, facts, ids, lago

TABLES = Structure(columns={"events": ("id!", "code")}, file="/app/db/schema.rb")
_IMAGE = LagoProcess(schema=TABLES, migrations=("1", "20241119110219"), migration_count=408)
_MIGRATED = AppliedMigrations(408, "20241119110219")


def deployment(has: Structure = TABLES, available: int = 4000):
    database = DatabaseAnswers(migrations=_MIGRATED, structure=has)
    return facts(*lago(), database=database, lago={"api": _IMAGE}, machine=Machine(available=available))


class Answering(Host):
    """A host on which the program printed this."""

    name = "a host"

    def __init__(self, output: str):
        self.output = output

    def read(self, reading: ReadCommand) -> str:
        return self.output


def test_rails_is_asked_in_the_container_of_the_api():
    assert schema_dump.compared(deployment(), SETTINGS).name == "lago-api-1"


def test_what_a_look_without_rails_finds_blocks_it():
    with pytest.raises(Blocked) as blocked:
        schema_dump.compared(deployment(Structure(columns={"plans": ()})), SETTINGS)
    assert blocked.value.by == "schema-table-missing"


def test_a_host_without_memory_is_left_alone():
    with pytest.raises(Unknown, match="300 MiB of memory left, and a second Rails needs 500"):
        schema_dump.compared(deployment(available=300), SETTINGS)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "Lago's Rails gave no answer within 120 s"),
        ("booting\n/app/x.rb:1: KeyError: key not found\nfrom a\n", "/app/x.rb:1: KeyError: key not found"),
        ("schema dump: not JSON\nrails aborted!\n", "rails aborted!"),
        (
            'schema dump: {"error": "PG::ConnectionBad: refused"}\n',
            "PG::ConnectionBad: refused",
        ),
        ("postgresql://lago:hunter2hunter2@db/lago Error\n", "postgresql://lago:<secret>@db/lago Error"),
    ],
)
def test_no_answer_is_said_and_no_secret(output, said):
    assert dumped(Answering(output), container("api")) == SchemaDump(error=said)


def test_an_answer_after_other_lines():
    text = 'Booted\n\nschema dump: {"file": "f", "only_there": [{"kind": "index", "table": "t", "more": 1}], "only_stated": 3}'
    found = dumped(Answering(text), container("api"))
    assert found == SchemaDump(file="f", only_there=(Part(kind="index", table="t"),))


COLUMN = Part(kind="column", table="fees", name="units", text="decimal", default='"0.0"')


def test_what_is_on_missing_columns_follows():
    index = Part(kind="index", table="fees", name="on_units", text='["units"]')
    dump = SchemaDump(file="/app/db/schema.rb", only_stated=(COLUMN, index))
    assert ids(schema_dump.is_what_rails_would_write(facts(*lago()), dump)) == []


@pytest.mark.parametrize(
    ("stated", "there", "found"),
    [
        (COLUMN, (), []),
        (COLUMN, (msgspec.structs.replace(COLUMN, text="integer"),), ["schema-column-differs"]),
        # What differs is whether it may be NULL.
        (COLUMN, (COLUMN,), []),
        (
            Part(kind="enum", name="colour", text='["a"]'),
            (Part(kind="enum", name="colour", text='["b", "a"]'),),
            [],
        ),
        (Part(kind="enum", name="colour", text='["a"]'), (), ["schema-enum-differs"]),
        (Part(kind="extension", name="citext"), (), []),
    ],
)
def test_what_is_a_difference(stated, there, found):
    dump = SchemaDump(file="/app/db/schema.rb", only_stated=(stated,), only_there=there)
    assert ids(schema_dump.is_what_rails_would_write(facts(*lago()), dump)) == found
