"""The exact comparison of the schema: changes of a real PostgreSQL are found by Rails' and PostgreSQL's own dumpers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lago_acceptance.checks import schema_dump
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.schema_dump import SchemaDump, dumped
from lago_acceptance.hosts.local import LocalHost
from tests.support.containers import Container, docker
from tests.support.facts import container as container_facts
from tests.support.facts import facts, lago
from tests.support.lago_tables import LagoTables, lago_tables
from tests.support.standin.schema_file import api

pytestmark = pytest.mark.docker

# Lago 1.16.0 has some of each; the stand-in's migrations make none.
MORE = """ALTER TABLE fees ADD CONSTRAINT units_count CHECK (units >= 0);
CREATE VIEW open_invoices AS SELECT invoices.id FROM invoices WHERE invoices.status = 5;
CREATE FUNCTION public.touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.updated_at = now(); RETURN NEW;
END; $$;
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TRIGGER touched BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION touched()"""
# What is done, and the finding with a part of its text.
CHANGES = {
    "a column of another type": (
        "ALTER TABLE fees ALTER events_count TYPE smallint",
        "schema-column-differs",
        "fees.events_count is",
    ),
    "a column with another default": (
        "ALTER TABLE invoices ALTER payment_status SET DEFAULT 2",
        "schema-column-differs",
        "invoices.payment_status is integer, default 2 instead of integer, default 0",
    ),
    "a column without its default": (
        "ALTER TABLE applied_coupons ALTER status DROP DEFAULT",
        "schema-column-differs",
        "applied_coupons.status is integer without a default instead of integer, default 0",
    ),
    "a unique index of other rows": (
        "DROP INDEX index_plans_on_organization_id_and_code;"
        "CREATE UNIQUE INDEX index_plans_on_organization_id_and_code ON plans (organization_id, code) WHERE pending_deletion",
        "schema-unique-index-differs",
        "index_plans_on_organization_id_and_code on plans is",
    ),
    "an index": ("DROP INDEX invoices_status_idx", "schema-index-missing", "invoices_status_idx on invoices"),
    "an index on something else": (
        "DROP INDEX subscriptions_status_idx; CREATE INDEX subscriptions_status_idx ON subscriptions (id)",
        "schema-index-missing",
        "subscriptions_status_idx on subscriptions is",
    ),
    "a foreign key that deletes": (
        "ALTER TABLE plans DROP CONSTRAINT plans_parent_id_fkey;"
        "ALTER TABLE plans ADD CONSTRAINT plans_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES plans ON DELETE CASCADE",
        "schema-foreign-key-differs",
        "on plans is",
    ),
    "a check constraint": (
        "ALTER TABLE fees DROP CONSTRAINT units_count",
        "schema-check-missing",
        "units_count on fees",
    ),
}
# Rails 6.1, which the stand-in's dumper is of, writes no views, enumerated types, functions or triggers.
OF_SQL = {
    "a view": (
        "CREATE OR REPLACE VIEW open_invoices AS SELECT invoices.id FROM invoices WHERE invoices.status = 1",
        "schema-view-differs",
        "open_invoices is",
    ),
    "an enumerated type": (
        "DROP TYPE colour; CREATE TYPE colour AS ENUM ('red')",
        "schema-enum-differs",
        "colour is",
    ),
    "a function": (
        "CREATE OR REPLACE FUNCTION public.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "schema-function-differs",
        "touched is",
    ),
    "a trigger": (
        "DROP TRIGGER touched ON wallets;"
        "CREATE TRIGGER touched AFTER UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION touched()",
        "schema-function-differs",
        "touched on wallets is",
    ),
}
HARMLESS = """ALTER INDEX invoices_payment_overdue_idx RENAME TO another;
CREATE TABLE others (id int);
ALTER TABLE plans ADD note text;
CREATE INDEX added ON plans (name);
ALTER TYPE colour ADD VALUE 'blue'"""
_OF_LAGO = facts(*lago(), project="lago")


class Looks:
    """The container in which Rails runs, and its database."""

    def __init__(self, tables: LagoTables, container: Container):
        self.tables, self.container = tables, container

    def dump(self) -> SchemaDump:
        """What Rails writes beside its file."""
        return dumped(LocalHost(), container_facts("api", id=self.container.name))

    def shell(self, text: str) -> None:
        ended = self.container.execute("sh", "-c", text)
        assert ended.returncode == 0, ended.stderr

    def changed(self, *changes: str) -> SchemaDump:
        """The same after some changes, which are taken back."""
        self.tables.sql("\\connect postgres\nCREATE DATABASE kept TEMPLATE lago")
        try:
            self.tables.sql(";".join(changes))
            return self.dump()
        finally:
            self.tables.sql(
                "\\connect postgres\nDROP DATABASE lago WITH (FORCE);ALTER DATABASE kept RENAME TO lago"
            )


@pytest.fixture(scope="module")
def looks() -> Iterator[Looks]:
    with lago_tables() as tables, api(tables) as container:
        yield Looks(tables, container)


Seen = tuple[SchemaDump, SchemaDump]


@pytest.fixture(scope="module")
def of_the_image(looks: Looks) -> SchemaDump:
    """What differs between the image's own file and the tables of the stand-in's migrations."""
    return looks.dump()


@pytest.fixture(scope="module")
def with_rb(looks: Looks, of_the_image: SchemaDump) -> Seen:
    """What differs from a schema.rb of more than the image has, before and after all changes."""
    looks.tables.sql(MORE)
    looks.shell(
        "export LAGO_RSA_PRIVATE_KEY=$(tr '\\0' '\\n' </proc/1/environ | sed -n 's/^LAGO_RSA_PRIVATE_KEY=//p')\n"
        "bundle exec rails runner ActiveRecord::SchemaDumper.dump >/tmp/schema.rb && cp /tmp/schema.rb db/schema.rb"
    )
    return looks.dump(), looks.changed(HARMLESS, *(change for change, *_ in CHANGES.values()))


@pytest.fixture(scope="module")
def with_sql(looks: Looks, with_rb: Seen) -> Seen:
    """The same with a structure.sql."""
    looks.shell(
        "rm db/schema.rb; pg_dump --schema-only --no-privileges --no-owner --clean --if-exists --no-comments "
        '--file db/structure.sql "$DATABASE_URL"'
    )
    changes = (change for change, *_ in (CHANGES | OF_SQL).values())
    return looks.dump(), looks.changed(HARMLESS, *changes)


def told(dump: SchemaDump) -> dict[str, Finding]:
    """The findings by their ids."""
    return {each.id: each for each in schema_dump.is_what_rails_would_write(_OF_LAGO, dump)}


def test_the_stand_ins_file_is_what_rails_writes(of_the_image):
    assert of_the_image == SchemaDump(file="/app/db/schema.rb")


def test_a_database_as_its_file_states_it(with_rb, with_sql):
    assert with_rb[0] == SchemaDump(file="/app/db/schema.rb")
    assert with_sql[0] == SchemaDump(file="/app/db/structure.sql")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_beside_schema_rb(name, with_rb):
    _, id, text = CHANGES[name]
    assert text in told(with_rb[1])[id].problem


def test_nothing_else_is_found_beside_schema_rb(with_rb):
    assert told(with_rb[1]).keys() == {id for _, id, _ in CHANGES.values()}


@pytest.mark.parametrize("name", CHANGES | OF_SQL)
def test_a_change_is_found_beside_structure_sql(name, with_sql):
    _, id, text = (CHANGES | OF_SQL)[name]
    found = told(with_sql[1])[id]
    assert text in found.problem and found.severity is Severity.WARNING


def test_nothing_else_is_found_beside_structure_sql(with_sql):
    assert told(with_sql[1]).keys() == {id for _, id, _ in (CHANGES | OF_SQL).values()}


def test_a_database_that_does_not_answer(looks, with_sql):
    refuse = ("psql", "-U", "postgres", "-c", "ALTER DATABASE lago ALLOW_CONNECTIONS false")
    looks.tables.container.execute(*refuse)
    try:
        seen = looks.dump()
    finally:
        looks.tables.container.execute(*(word.replace("false", "true") for word in refuse))
    with pytest.raises(Unknown, match="Rails could not write the schema: .*pg_dump"):
        told(seen)


def test_a_rails_that_does_not_start(looks):
    looks.shell("mv config elsewhere")
    try:
        seen = looks.dump()
    finally:
        looks.shell("mv elsewhere config")
    with pytest.raises(Unknown, match="Rails could not write the schema: .*cannot load such file"):
        told(seen)


def test_a_container_without_room_for_a_second_rails(looks):
    docker("update", "--memory=100m", "--memory-swap=-1", looks.container.name)
    try:
        seen = looks.dump()
    finally:
        docker("update", "--memory=64g", "--memory-swap=-1", looks.container.name)
    with pytest.raises(
        Unknown, match=r"the container has \d+ MiB left of its limit, and a second Rails needs 500"
    ):
        told(seen)
