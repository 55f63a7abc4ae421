"""The jobs that fill data in and the tasks that start them, by release (docs/upgrades.md).

filling_jobs.tsv and tasks.tsv are read from Lago's source (bin/lago-facts).
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import msgspec

from lago_acceptance.lago.release_table import Release, same_schema
from lago_acceptance.lago.upgrades import numbers

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


def job_at(name: str, release: Release) -> Job | None:
    """The form that a job has at a release, None if it has none. ``name`` may have its module before it."""
    bare = name.removeprefix(MODULE)
    return next((each for each in jobs() if each.job == bare and _holds(each, release)), None)


def task_at(name: str, release: Release) -> RakeTask | None:
    """The form that a task has at a release, None if it has none."""
    return next((each for each in tasks() if each.task == name and _holds(each, release)), None)


def _holds(form: Job | RakeTask, release: Release) -> bool:
    at = same_schema(release).numbers
    return numbers(form.since) <= at and not (form.until and numbers(form.until) <= at)


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))
