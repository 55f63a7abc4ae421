"""What migrations validate: the rows of constraints.tsv, without the statement that counts what violates them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.lago_source.history import History, number_of
from lago_acceptance.lago_source.jobs import jobs_of
from lago_acceptance.lago_source.ruby import literal, method, without_comments

# The table begins with what is newer than this release.
_NEWER_THAN = (1, 16, 0)
_VALIDATED = re.compile(r"""validate_check_constraint :(\w+), name: ["'](\w+)["']""")
_NOT_NULL = re.compile(r"change_column_null :(\w+), :(\w+), false\b")
_ADDED = re.compile(r"""add_check_constraint :(\w+),\s*(["'][^"']*["']|\w+),\s*name: ["'](\w+)["']""")
_OF_COLUMN = re.compile(r"(\w+) IS NOT NULL")


def rows(history: History) -> list[dict[str, str]]:
    """One row for each table and column, or check, with the first migration that validates it."""
    known: set[str] = set()
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    expressions: dict[tuple[str, str], str] = {}
    for snapshot in history.in_order:
        new = [each for each in snapshot.migrations if number_of(each) not in known]
        known.update(map(number_of, new))
        for path in new:
            for table, stated, name in _ADDED.findall(snapshot.texts[path]):
                expressions[table, name] = literal(stated)
        if snapshot.release.numbers <= _NEWER_THAN:
            continue
        for path in new:
            for table, column, violated in _validated(snapshot.texts[path], expressions):
                row = {"required_from": snapshot.tag, "table": table, "column": column, "undone": violated}
                rows.setdefault((table, column, violated), row | {"migration": number_of(path)})
    return _completed(history, list(rows.values()))


def _validated(text: str, expressions: dict[tuple[str, str], str]) -> Iterator[tuple[str, str, str]]:
    """Table, column and condition of each constraint that a migration validates; "" for what isn't known."""
    body = without_comments(method(text, "up", "change"))
    found: dict[tuple[str, str, str], None] = {}
    for table, name in _VALIDATED.findall(body):
        expression = expressions.get((table, name), "")
        column = _OF_COLUMN.fullmatch(expression)
        if column or not expression:
            found[(table, column[1] if column else "", f"{column[1]} IS NULL" if column else "")] = None
        else:
            found[(table, "", f"NOT ({expression})")] = None
    for table, column in _NOT_NULL.findall(body):
        found[(table, column, f"{column} IS NULL")] = None
    return iter(found)


def _completed(history: History, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows with the release that has the column first, and the jobs that fill it."""
    wanted = {(row["table"], row["column"]): row for row in rows if row["column"]}
    jobs: dict[tuple[str, str], dict[str, str]] = {}
    since: dict[tuple[str, str], str] = {}
    for snapshot in history.in_order:
        for job in jobs_of(snapshot):
            for column in job["columns"].split():
                jobs.setdefault((job["table"], column), {}).setdefault(job["job"], snapshot.tag)
        missing = [key for key in wanted if key not in since]
        if missing and snapshot.release.numbers >= _NEWER_THAN:
            columns = _columns(history.structure(snapshot))
            since.update({key: snapshot.tag for key in missing if key[1] in columns.get(key[0], "")})
    first = next((each.tag for each in history.in_order if each.release.numbers >= _NEWER_THAN), "")
    return [
        {
            "required_from": row["required_from"],
            "table": row["table"],
            "column": row["column"],
            "undone": row["undone"],
            "column_since": _later(since.get((row["table"], row["column"]), ""), first),
            "filled_by": ",".join(jobs.get((row["table"], row["column"]), {})),
            "job_since": ",".join(dict.fromkeys(jobs.get((row["table"], row["column"]), {}).values())),
            "migration": row["migration"],
        }
        for row in rows
    ]


def _later(tag: str, first: str) -> str:
    """The tag, "" where the first release of the table has it already."""
    return "" if tag == first else tag


def _columns(structure: str) -> dict[str, set[str]]:
    """The columns of each table, from schema.rb or SQL."""
    found: dict[str, set[str]] = {}
    for table, body in re.findall(
        r'^  create_table "(\w+)".*?\n(.*?)^  end', structure, re.MULTILINE | re.DOTALL
    ):
        found[table] = set(re.findall(r'^    t\.\w+ "(\w+)"', body, re.MULTILINE))
    for table, body in re.findall(
        r"^CREATE TABLE public\.(\w+) \(\n(.*?)^\)", structure, re.MULTILINE | re.DOTALL
    ):
        found[table] = set(re.findall(r'^    "?(\w+)"? ', body, re.MULTILINE))
    return found
