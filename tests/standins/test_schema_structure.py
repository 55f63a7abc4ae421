"""The schema's structure against the image's schema file: each change of a real PostgreSQL is found, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lago_acceptance.checks import schema_structure
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts import answers
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.structure import Structure
from lago_acceptance.images import resolve
from tests.support.containers import Container, running
from tests.support.facts import SETTINGS, facts, lago
from tests.support.lago_tables import lago_tables

pytestmark = pytest.mark.docker

MIGRATED = AppliedMigrations(408, "20241119110219")
TRIGGER = """CREATE FUNCTION public.stranger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER stranger BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION stranger()"""
CHANGES = {
    "an index that keeps events from counting twice": (
        "DROP INDEX index_unique_transaction_id",
        {"schema-unique-index-missing": "index_unique_transaction_id on events"},
    ),
    "an index on other columns": (
        "DROP INDEX index_unique_transaction_id;"
        "CREATE UNIQUE INDEX index_unique_transaction_id ON events (organization_id, id)",
        {"schema-unique-index-missing": "which is on (organization_id, id)"},
    ),
    "an index of some rows": (
        "DROP INDEX index_api_keys_on_value;"
        "CREATE UNIQUE INDEX index_api_keys_on_value ON api_keys (value) WHERE expires_at IS NULL",
        {"schema-unique-index-missing": "of some rows only"},
    ),
    "an index that isn't unique": (
        "DROP INDEX index_plans_on_organization_id_and_code;"
        "CREATE INDEX index_plans_on_organization_id_and_code ON plans (organization_id, code)",
        {"schema-unique-index-missing": "on plans (organization_id, code)"},
    ),
    "an index of another name": ("ALTER INDEX index_unique_transaction_id RENAME TO another", {}),
    "a primary key": (
        "ALTER TABLE fees DROP CONSTRAINT fees_pkey CASCADE",
        {"schema-unique-index-missing": "fees_pkey", "schema-foreign-key-missing": "credit_notes to fees"},
    ),
    "a foreign key": (
        "ALTER TABLE invoices DROP CONSTRAINT invoices_customer_id_fkey",
        {"schema-foreign-key-missing": "invoices to customers"},
    ),
    "a foreign key to itself": (
        "ALTER TABLE plans DROP CONSTRAINT plans_parent_id_fkey",
        {"schema-foreign-key-missing": "plans (parent_id) to plans"},
    ),
    "a foreign key that isn't checked": (
        "ALTER TABLE plans DROP CONSTRAINT plans_parent_id_fkey;"
        "ALTER TABLE plans ADD FOREIGN KEY (parent_id) REFERENCES plans NOT VALID",
        {"schema-foreign-key-unchecked": "plans (parent_id) to plans"},
    ),
    "foreign keys that are off": (
        "ALTER TABLE subscriptions DISABLE TRIGGER ALL",
        {"schema-foreign-key-off": "subscriptions"},
    ),
    "a column that may be NULL": (
        "ALTER TABLE events ALTER code DROP NOT NULL",
        {"schema-not-null-missing": "events.code"},
    ),
    "a column that may not be NULL": (
        "ALTER TABLE customers ALTER email SET NOT NULL",
        {"schema-not-null-added": "customers.email"},
    ),
    "a column": (
        "ALTER TABLE invoices RENAME currency TO money",
        {"schema-column-missing": "invoices.currency"},
    ),
    "a column that must be filled": (
        "ALTER TABLE invoices ADD cost_centre text NOT NULL",
        {"schema-column-added": "invoices.cost_centre"},
    ),
    "columns that need not be filled": (
        "ALTER TABLE invoices ADD note text, ADD kind int NOT NULL DEFAULT 0, ADD line int NOT NULL GENERATED ALWAYS AS IDENTITY",
        {},
    ),
    "a unique index of others": (
        "CREATE UNIQUE INDEX one_each ON invoices (customer_id)",
        {"schema-unique-index-added": "one_each on invoices (customer_id)"},
    ),
    "a unique constraint of others on expressions": (
        "CREATE UNIQUE INDEX one_each ON customers (lower(email)) WHERE email IS NOT NULL",
        {"schema-unique-index-added": "one_each on customers ((expression))"},
    ),
    "a unique index that another one implies": (
        "CREATE UNIQUE INDEX wide ON plans (organization_id, code, name) WHERE deleted_at IS NULL;"
        "CREATE UNIQUE INDEX twice ON plans (id, code)",
        {},
    ),
    "a table": ("DROP TABLE credits", {"schema-table-missing": "credits"}),
    "an extension": ("DROP EXTENSION unaccent", {"schema-extension-missing": "unaccent"}),
    "a trigger": (
        TRIGGER,
        {"schema-trigger-added": "trigger stranger on events", "schema-function-added": "stranger"},
    ),
    "a rule": (
        "CREATE RULE nothing AS ON INSERT TO events DO INSTEAD NOTHING",
        {"schema-trigger-added": "rule nothing on events"},
    ),
    "row level security": (
        "ALTER TABLE events ENABLE ROW LEVEL SECURITY",
        {"schema-trigger-added": "row level security on events"},
    ),
    "a check constraint": (
        "ALTER TABLE events ADD CONSTRAINT never CHECK (code <> 'requests')",
        {"schema-trigger-added": "check constraint never on events"},
    ),
    "a table of others": ("CREATE TABLE others (id int); CREATE VIEW views AS SELECT 1 AS a", {}),
    "another schema's function": (
        "CREATE SCHEMA others; CREATE FUNCTION others.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        {},
    ),
}
# As Rails 7.1 writes it.
RAILS = """ActiveRecord::Schema[7.1].define(version: 2024_11_19_110219) do
  # These are extensions that must be enabled in order to support this database
  enable_extension "pgcrypto"
  create_enum "colour", ["red", "green"]

  create_table "paints", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.string "name", default: "a \\"b\\", null: false", array: true
    t.enum "colour", default: "red", null: false, enum_type: "colour"
    t.datetime "mixed_at", precision: nil
    t.index "lower((name)::text)", name: "index_paints_on_lower_name", unique: true
    t.index ["colour"], name: "index_paints_on_colour"
    t.index ["name", "colour"], name: "index_paints_on_name_and_colour", unique: true, where: "(mixed_at IS NULL)"
    t.check_constraint "name <> ''::text", name: "check_paints_on_name"
  end

  create_table "cans", primary_key: "number", force: :cascade do |t|
    t.uuid "paint_id", null: false
    t.bigint "lid_id"
  end

  create_table "paints_cans", id: false, force: :cascade do |t|
    t.uuid "paint_id"
  end

  add_foreign_key "cans", "paints"
  add_foreign_key "cans", "cans", column: "lid_id", validate: false

  create_view "red_paints", sql_definition: <<-SQL
      SELECT paints.name FROM paints WHERE (paints.colour = 'red'::colour);
  SQL
end
"""
# As pg_dump writes it.
DUMP = """CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE TYPE public.colour AS ENUM (
    'red'
);
CREATE FUNCTION public.mix() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RETURN NEW; END; $$;
CREATE TABLE public.paints (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name character varying,
    "timestamp" timestamp without time zone NOT NULL,
    CONSTRAINT check_paints_on_name CHECK (((name)::text <> ''::text))
);
CREATE TABLE public.paints_default (
    id uuid NOT NULL
);
ALTER TABLE ONLY public.paints ATTACH PARTITION public.paints_default DEFAULT;
CREATE TABLE partman.template (
    id uuid NOT NULL
);
ALTER TABLE ONLY public.paints
    ADD CONSTRAINT paints_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX index_paints_on_name ON public.paints USING btree (name, "timestamp" DESC) WHERE (name IS NOT NULL);
CREATE UNIQUE INDEX index_paints_on_time ON public.paints USING btree ("timestamp");
CREATE TRIGGER mixed BEFORE INSERT ON public.paints FOR EACH ROW EXECUTE FUNCTION public.mix();
ALTER TABLE ONLY public.paints
    ADD CONSTRAINT fk_rails_1 FOREIGN KEY (id) REFERENCES public.cans(id) ON DELETE CASCADE;
"""


@pytest.fixture(scope="module")
def tables():
    with lago_tables() as found:
        yield found


@pytest.fixture(scope="module")
def image() -> Iterator[Container]:
    """A container of Lago's image."""
    with running(resolve.stand_in("lago-api"), "sleep", "600") as container:
        yield container


def process(image: Container) -> LagoProcess:
    """What is read inside."""
    ended = image.execute("ruby", "--disable-gems", "-e", render.script("lago_process.rb"), "api")
    assert ended.returncode == 0, ended.stderr
    return answers.decode(LagoProcess, json.loads(ended.stdout))


@pytest.fixture(scope="module")
def stated(image) -> LagoProcess:
    return process(image)


@pytest.fixture(scope="module")
def seen(tables) -> dict[str, DatabaseAnswers]:
    """What is answered after each change, in one session."""
    answered = tables.looks("", *(change for change, _ in CHANGES.values()))
    return {name: each for name, (each, _) in zip(["nothing", *CHANGES], answered, strict=True)}


def told(database: DatabaseAnswers, stated: LagoProcess):
    """The findings by their ids."""
    answered = DatabaseAnswers(migrations=MIGRATED, structure=database.structure)
    known = facts(*lago(), database=answered, lago={"api": stated})
    return {each.id: each for each in schema_structure.is_that_of_the_image(known, SETTINGS)}


def test_the_tables_of_the_stand_in_are_those_of_its_file(seen, stated):
    assert told(seen["nothing"], stated) == {}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_structure(name, seen, stated):
    _, wanted = CHANGES[name]
    found = told(seen[name], stated)
    assert found.keys() == wanted.keys()
    assert all(text in found[id].problem for id, text in wanted.items())


def test_what_a_missing_index_leads_to_and_where_it_is_stated(seen, stated):
    (found,) = told(seen["an index that keeps events from counting twice"], stated).values()
    assert "billed for usage that they did not have" in found.impact
    assert "docker exec -it lago-db-1" in found.fix and "lago-api-1: /app/db/schema.rb" in found.fix


def test_many_differences_are_counted(stated):
    nothing = Structure(columns=dict.fromkeys(stated.schema.columns, ()), extensions=stated.schema.extensions)
    found = told(DatabaseAnswers(structure=nothing), stated)
    assert (
        found["schema-column-missing"].problem.count(",") == 4
        and " more" in found["schema-column-missing"].problem
    )


def with_file(image: Container, name: str, text: str) -> Structure:
    """What is read where the image has this file and no other."""
    image.execute("mv", "/app/db/schema.rb", "/tmp/schema.rb")
    try:
        ended = image.execute("sh", "-c", 'printf %s "$text" >/app/db/' + name, environment={"text": text})
        assert ended.returncode == 0, ended.stderr
        found = process(image).schema
        assert found is not None
        return found
    finally:
        image.execute("sh", "-c", f"rm -f /app/db/{name}; mv /tmp/schema.rb /app/db/schema.rb")


def test_a_file_as_rails_writes_it(image):
    found = with_file(image, "schema.rb", RAILS)
    assert found.columns == {
        "paints": ("id!", "name", "colour!", "mixed_at"),
        "cans": ("number!", "paint_id!", "lid_id"),
        "paints_cans": ("paint_id",),
    }
    assert [(each.name, each.columns, each.partial) for each in found.unique] == [
        ("paints_pkey", ("id",), False),
        ("index_paints_on_lower_name", ("(expression)",), False),
        ("index_paints_on_name_and_colour", ("name", "colour"), True),
        ("cans_pkey", ("number",), False),
    ]
    assert [(each.table, each.target, each.columns, each.valid) for each in found.foreign] == [
        ("cans", "paints", (), True),
        ("cans", "cans", ("lid_id",), False),
    ]
    assert [(each.table, each.name) for each in found.additions] == [("paints", "check_paints_on_name")]
    assert found.extensions == ("pgcrypto",)


def test_a_file_as_pg_dump_writes_it(image):
    found = with_file(image, "structure.sql", DUMP)
    assert found.columns == {"paints": ("id!", "name", "timestamp!")}
    assert [(each.name, each.columns, each.partial) for each in found.unique] == [
        ("index_paints_on_name", ("name", "timestamp"), True),
        ("index_paints_on_time", ("timestamp",), False),
        ("paints_pkey", ("id",), False),
    ]
    assert [(each.target, each.columns) for each in found.foreign] == [("cans", ("id",))]
    assert {(each.name, each.kind) for each in found.additions} == {
        ("mixed", "trigger"),
        ("check_paints_on_name", "check constraint"),
    }
    assert (found.functions, found.extensions) == (("mix",), ("pgcrypto",))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("other.rb", "", "neither db/schema.rb nor"), ("schema.rb", "# nothing", "names no tables")],
)
def test_a_file_that_is_none_is_unknown(name, text, words, image, seen):
    found = with_file(image, name, text)
    with pytest.raises(Unknown, match=words):
        told(seen["nothing"], LagoProcess(schema=found))


def test_a_later_version_is_warned_of(seen, stated):
    later = LagoProcess(schema=Structure(columns={"absent": ("id!",)}, file="/app/db/structure.sql"))
    found = told(seen["nothing"], later)
    assert found["schema-table-missing"].severity is Severity.WARNING


def test_other_migrations_explain_another_structure(seen, stated):
    other = DatabaseAnswers(migrations=AppliedMigrations(407, "20241118165935"), structure=Structure())
    known = facts(*lago(), database=other, lago={"api": stated})
    with pytest.raises(Blocked, match="schema-not-the-images"):
        list(schema_structure.is_that_of_the_image(known, SETTINGS))


def test_a_database_that_does_not_tell_is_unknown(stated):
    with pytest.raises(Unknown, match="structure"):
        told(DatabaseAnswers(), stated)
