"""The jobs that fill data in, and the tasks that start them: the rows of filling_jobs.tsv and tasks.tsv."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lago_acceptance.lago_source.history import History, Snapshot
from lago_acceptance.lago_source.ruby import method, table_of, without_comments

Row = dict[str, str]

_FOLDER = "app/jobs/database_migrations/"
_CLASS = re.compile(r"class (\w+) < ApplicationJob")
_QUEUE = re.compile(r"queue_as :(\w+)")
_MODEL = re.compile(r"\b([A-Z]\w*(?:::[A-Z]\w*)*)(?:\.unscoped)?\s*\.(?:where|joins)\b")
_CHANGED = re.compile(r"\b(?:UPDATE|INSERT INTO) (\w+)\b.*?\bSET\s+(\w+)\s*=", re.DOTALL)
_INSERTED = re.compile(r"\bINSERT INTO (\w+)\b")
_SET = re.compile(r"""(?:update_all\(\s*["']|<<-SQL\s+|,\s*\n\s*)(\w+) = """)
_TASKS = ("lib/tasks/migrations/", "lib/tasks/upgrade_verification.rake")
_TASK = re.compile(
    r"^  task[ (]+:?(\w+)(?:, \[([\w:, ]*)\])?(?: =>|:) :environment\)? do(.*?)^  end",
    re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(r"DatabaseMigrations::(\w+)")
_NAMESPACE = re.compile(r"^namespace :(\w+)", re.MULTILINE)


def jobs_of(snapshot: Snapshot) -> Iterator[Row]:
    """The filling jobs of a release: class, queue, the table they fill, and its columns."""
    for _, text in snapshot.below(_FOLDER):
        named, queue = _CLASS.search(text), _QUEUE.search(text)
        if named:
            body = without_comments(method(text, "perform"))
            table, columns = _filled(body, dict(snapshot.texts))
            yield {
                "job": named[1],
                "queue": queue[1] if queue else "",
                "table": table,
                "columns": " ".join(columns),
            }


def job_rows(history: History) -> list[Row]:
    """One row for each form of a job, with the first release that has it."""
    return _since(history, jobs_of, "job")


def tasks_of(snapshot: Snapshot) -> Iterator[Row]:
    """The tasks of a release that start filling jobs or change data: name, arguments, jobs."""
    for path, text in snapshot.below("lib/tasks/"):
        if not path.startswith(_TASKS):
            continue
        text = without_comments(text)
        space = _NAMESPACE.search(text)
        for found in _TASK.finditer(text):
            name = f"{space[1]}:{found[1]}" if space else found[1]
            if path.startswith(_TASKS[0]) or found[1] == "perform_required_jobs":
                jobs = dict.fromkeys(_NAMED.findall(found[3]))
                yield {
                    "task": name,
                    "arguments": (found[2] or "").replace(":", ""),
                    "jobs": " ".join(jobs),
                }


def task_rows(history: History) -> list[Row]:
    """One row for each form of a task, with the first release that has it."""
    return _since(history, tasks_of, "task")


def _since(history: History, read: Callable[[Snapshot], Iterator[Row]], key: str) -> list[Row]:
    """Each form that something has had, with the first release that has it and the first that no longer does."""
    rows: list[Row] = []
    current: dict[str, Row] = {}
    for snapshot in history.in_order:
        now = {each[key]: each for each in sorted(read(snapshot), key=lambda each: each[key])}
        for name in [name for name, row in current.items() if not _same(row, now.get(name))]:
            current.pop(name)["until"] = snapshot.tag
        for name, each in now.items():
            if name not in current:
                current[name] = {"since": snapshot.tag, "until": ""} | each
                rows.append(current[name])
    return rows


def _same(row: Row, form: Row | None) -> bool:
    return form is not None and form.items() <= row.items()


def _filled(body: str, texts: dict[str, str]) -> tuple[str, list[str]]:
    changed, inserted = _CHANGED.search(body), _INSERTED.search(body)
    if changed and changed[1] != "SET":
        return changed[1], [changed[2]]
    if inserted:
        return inserted[1], []
    model = _MODEL.search(body)
    columns = list(dict.fromkeys(_SET.findall(body)))
    return (table_of(model[1], texts) if model else ""), columns
