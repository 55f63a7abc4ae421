"""The SQL of the billing signs: scripts/signs holds one query a sign, named after it.

A query gives one row for each thing that is wrong: ``since`` when (timestamptz), and an ``example`` (an id as a rule).
A file whose name has several signs, joined by "+", reads a large table once for all of them: its rows have the column
``sign`` as well. A query may use the bounds of settings.toml by their names, such as :topup_hours, the time as Lago writes
it, :'utc_now', and :values_known: whether the values are known that this version of Lago writes to its columns.
Statuses are those of docs/lago-facts.md, section 5.
"""

from __future__ import annotations

from importlib.resources import files

import msgspec

from lago_acceptance.core.settings import Signs

# The last migration of Lago 1.51.0: what a later version may count, or take as a currency, is not known.
NEWEST_KNOWN = 20260721180721

BEFORE = f"""\
\\set values_known false
SELECT coalesce(max(version) <= '{NEWEST_KNOWN}', false)::text AS values_known FROM schema_migrations \\gset
"""
"""Comes before the statements."""
# Plain aggregates, for most of what a short question costs is to plan it. Rows may have the same example.
_ANSWER = """\
json_build_object(
'count', count(found),
'oldest', extract(epoch FROM min(since)),
'examples', coalesce((array_agg(example ORDER BY since) FILTER (WHERE example IS NOT NULL))[1:50], '{{}}'))
"""
# A query that fails (its table is not in this schema, it takes too long) answers with its error.
_STATEMENT = f"""\
SELECT '{{name}}' || E'\\t' || {_ANSWER}FROM (
{{query}}
) AS found;
\\if :ERROR
SELECT '{{name}}' || E'\\t' || json_build_object('error', :'LAST_ERROR_MESSAGE');
\\endif
"""
_STATEMENT_OF_SEVERAL = f"""\
SELECT name || E'\\t' || {_ANSWER}FROM unnest(ARRAY['{{names}}']) AS signs(name) LEFT JOIN (
{{query}}
) AS found ON sign = name
GROUP BY name;
\\if :ERROR
SELECT name || E'\\t' || json_build_object('error', :'LAST_ERROR_MESSAGE') FROM unnest(ARRAY['{{names}}']) AS signs(name);
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
    return "".join(f"\\set {name} {value:d}\n" for name, value in msgspec.structs.asdict(bounds).items())
