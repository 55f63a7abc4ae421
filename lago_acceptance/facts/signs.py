"""The SQL of the billing signs: scripts/signs holds one query a sign, named after it.

A query gives one row for each thing that is wrong: ``since`` when (timestamptz), and an ``example`` (an id as a rule).
A file whose name has several signs, joined by "+", reads a large table once for all of them: its rows have the column
``sign`` as well. A query may use the bounds of settings.toml by their names, such as :topup_hours, and :'newest_known', the migration up to
which the values of Lago's columns are known.
Statuses are those of docs/lago-facts.md, section 5.
"""

from __future__ import annotations

from importlib.resources import files

import msgspec

from lago_acceptance.core.settings import Signs

# The last migration of Lago 1.51.0: what a later version may count, or take as a currency, is not known.
NEWEST_KNOWN = 20260721180721

BEFORE = """\
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;
"""
"""Comes before short questions: to compile one, or to start workers for it, takes longer than its answer."""
# A query that fails (its table is not in this schema, it takes too long) answers with its error.
_STATEMENT = """\
WITH found AS (
{query}
)
SELECT '{name}' || E'\\t' || json_build_object(
  'count', (SELECT count(*) FROM found),
  'oldest', (SELECT extract(epoch FROM min(since)) FROM found),
  'examples', ARRAY(SELECT example FROM found GROUP BY example ORDER BY min(since) LIMIT 3));
\\if :ERROR
SELECT '{name}' || E'\\t' || json_build_object('error', :'LAST_ERROR_MESSAGE');
\\endif
"""
_STATEMENT_OF_SEVERAL = """\
WITH found AS MATERIALIZED (
{query}
)
SELECT name || E'\\t' || json_build_object(
  'count', (SELECT count(*) FROM found WHERE sign = name),
  'oldest', (SELECT extract(epoch FROM min(since)) FROM found WHERE sign = name),
  'examples', ARRAY(SELECT example FROM found WHERE sign = name GROUP BY example ORDER BY min(since) LIMIT 3))
FROM unnest(ARRAY['{names}']) AS signs(name);
\\if :ERROR
SELECT name || E'\\t' || json_build_object('error', :'LAST_ERROR_MESSAGE') FROM unnest(ARRAY['{names}']) AS signs(name);
\\endif
"""


def files_of_queries() -> dict[tuple[str, ...], str]:
    """The queries by the names of the signs that each answers."""
    folder = files("lago_acceptance.facts") / "scripts" / "signs"
    found = {each.name: bare(each.read_text("utf-8")) for each in folder.iterdir()}
    return {
        tuple(name.removesuffix(".sql").split("+")): query
        for name, query in sorted(found.items())
        if name.endswith(".sql")
    }


def bare(sql: str) -> str:
    """SQL without its comments and indentation, which the host would read for nothing."""
    lines = (line.strip() for line in sql.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))


def queries() -> dict[str, str]:
    """The query of each sign by its name."""
    return {name: query for names, query in files_of_queries().items() for name in names}


def statements() -> str:
    """SQL for psql that answers every sign."""
    return "\n".join(
        _STATEMENT.format(name=names[0], query=query)
        if len(names) == 1
        else _STATEMENT_OF_SEVERAL.format(names="','".join(names), query=query)
        for names, query in files_of_queries().items()
    )


def as_variables(bounds: Signs) -> str:
    """The bounds as variables of psql. They are whole numbers, so that nothing can end a statement."""
    numbers = {**msgspec.structs.asdict(bounds), "newest_known": NEWEST_KNOWN}
    return "".join(f"\\set {name} {value:d}\n" for name, value in numbers.items())
