"""The stand-in's db/schema.rb, in the form in which Rails writes it, from the tables that its migrations make.

``python -m tests.support.standin.schema_file`` writes it anew; tests/standins/test_schema_structure.py compares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.facts.structure import Structure
from tests.support.lago_tables import MIGRATIONS, lago_tables

FILE = MIGRATIONS.parent / "schema.rb"
_TYPES = {
    "character varying": "string",
    "timestamp without time zone": "datetime",
    "double precision": "float",
    "numeric": "decimal",
}
_OF_COLUMNS = """SELECT relname || '.' || attname, rtrim(format_type(atttypid, NULL), '[]')
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0"""


def written(structure: Structure, types: dict[str, str]) -> str:
    """The file for a structure; ``types`` are PostgreSQL's by table.column."""
    version = max(re.findall(r"\d{14}", " ".join(path.name for path in MIGRATIONS.iterdir())))
    stamp = f"{version[:4]}_{version[4:6]}_{version[6:8]}_{version[8:]}"
    extensions = "".join(f'  enable_extension "{name}"\n' for name in sorted(structure.extensions))
    tables = "\n".join(_table(structure, name, types) for name in sorted(structure.columns or {}))
    keys = "\n".join(sorted(_foreign_keys(structure)))
    return f"ActiveRecord::Schema[7.1].define(version: {stamp}) do\n{extensions}\n{tables}\n{keys}\nend\n"


def _table(structure: Structure, table: str, types: dict[str, str]) -> str:
    lines = []
    for column in (structure.columns or {})[table]:
        name = column.rstrip("!")
        kind = types[f"{table}.{name}"]
        if name != "id":
            lines.append(
                f'    t.{_TYPES.get(kind, kind)} "{name}"{", null: false" if column.endswith("!") else ""}'
            )
    lines += [
        f"    t.index [{', '.join(f'{each!r}' for each in index.columns)}], name: {index.name!r}, unique: true".replace(
            "'", '"'
        )
        + (', where: "(deleted_at IS NULL)"' if index.partial else "")
        for index in structure.unique
        if index.table == table and not index.name.endswith("_pkey")
    ]
    head = (
        f'  create_table "{table}", id: :uuid, default: -> {{ "gen_random_uuid()" }}, force: :cascade do |t|'
    )
    return "\n".join([head, *lines, "  end\n"])


def _foreign_keys(structure: Structure) -> Iterator[str]:
    for key in structure.foreign:
        (column,) = key.columns
        given = "" if column == f"{key.target[:-1]}_id" else f', column: "{column}"'
        yield f'  add_foreign_key "{key.table}", "{key.target}"{given}'


def main() -> None:
    """Write the file."""
    with lago_tables() as tables:
        tables.sql("DROP TABLE schema_migrations")
        ((answers, error),) = tables.looks("")
        assert answers.structure is not None, error
        types = dict(line.split("|") for line in tables.sql(_OF_COLUMNS).splitlines())
    FILE.write_text(written(answers.structure, types))


if __name__ == "__main__":
    main()
