"""The jobs that fill data in and the tasks that start them, by release (docs/upgrades.md).

filling_jobs.tsv and tasks.tsv are read from Lago's source (bin/lago-facts).
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import msgspec

MODULE = "DatabaseMigrations::"


class Job(msgspec.Struct, frozen=True):
    """A class of jobs in the module DatabaseMigrations: the queue it is in, the table that it fills, and its columns.

    ``since`` is the first release that has it in this form, ``until`` the first one that no longer has ("": still so).
    ``table`` and ``columns`` are empty where the source doesn't say so in a statement.
    """

    since: str
    until: str
    job: str
    queue: str
    table: str
    columns: tuple[str, ...]


class RakeTask(msgspec.Struct, frozen=True):
    """A task of Lago that fills data in: its name, its arguments, and the jobs that it enqueues."""

    since: str
    until: str
    task: str
    arguments: tuple[str, ...]
    jobs: tuple[str, ...]


@cache
def jobs() -> tuple[Job, ...]:
    """All forms of all filling jobs, in the order of the releases."""
    return tuple(
        msgspec.convert(row | {"columns": row["columns"].split()}, Job) for row in _rows("filling_jobs.tsv")
    )


@cache
def tasks() -> tuple[RakeTask, ...]:
    """All forms of all tasks, in the order of the releases."""
    lists = ("arguments", "jobs")
    return tuple(
        msgspec.convert(row | {each: row[each].split() for each in lists}, RakeTask)
        for row in _rows("tasks.tsv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))
