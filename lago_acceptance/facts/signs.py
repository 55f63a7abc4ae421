"""The SQL of the billing signs: scripts/signs holds one query a sign, named after it.

A query gives one row for each thing that is wrong: ``since`` when (timestamptz), and an ``example`` (an id as a rule).
Statuses are those of docs/lago-facts.md, section 5.
"""

from __future__ import annotations

from importlib.resources import files

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


def queries() -> dict[str, str]:
    """The query of each sign by its name."""
    folder = files("lago_acceptance.facts") / "scripts" / "signs"
    found = {each.name: each.read_text("utf-8").strip() for each in folder.iterdir()}
    return {
        name.removesuffix(".sql"): query for name, query in sorted(found.items()) if name.endswith(".sql")
    }


def statements() -> str:
    """SQL for psql that answers every sign."""
    return "\n".join(_STATEMENT.format(name=name, query=query) for name, query in queries().items())
