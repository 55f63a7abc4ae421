"""What has to be filled in at a stop of an upgrade: what shell/fill.part.sh is given, and what it says about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from lago_acceptance.deploy.session import Outcome
from lago_acceptance.lago.filling import MODULE
from lago_acceptance.lago.release_table import releases
from lago_acceptance.lago.upgrades import Proof, Stop, Task

# Without a row or a job less for so long, something is stuck: a batch of a thousand rows takes seconds.
STUCK_SECONDS = 1800
# A worker appears in Redis a few seconds after it has booted.
WORKER_SECONDS = 90
SLICE_SECONDS = 10
# How often whoever waits hears what is left.
_SAID_SECONDS = 60
# That of all of them (lago/filling_jobs.tsv).
QUEUE = "low_priority"


class Filled(msgspec.Struct, frozen=True):
    """One proof that holds: what it says, how many rows were left at the beginning, and the seconds until none was."""

    says: str
    rows: int
    seconds: int


class Result(msgspec.Struct, frozen=True):
    """What a stop has filled, and the seconds of all of it."""

    proofs: tuple[Filled, ...] = ()
    seconds: int = 0

    @property
    def rows(self) -> int:
        """How many rows were filled."""
        return sum(each.rows for each in self.proofs)


def settings(stop: Stop | None, runner: str = "in_new_release", worker: str = "") -> dict[str, str]:
    """The variables of shell/fill.part.sh. ``runner`` is the function that starts a container of the stop's release, ``worker`` one
    that names the container whose worker runs the jobs, "" where Lago's own do.
    """
    return {
        "fill_tasks": "\n".join(map(_task, stop.task)) if stop else "",
        "fill_jobs": " ".join(_jobs(stop)) if stop else "",
        "fill_proofs": "\n".join(f"{each.says}\t{counting(each)}" for each in stop.proofs) if stop else "",
        "fill_seconds": str(STUCK_SECONDS),
        "fill_worker_seconds": str(WORKER_SECONDS),
        "fill_slice": str(SLICE_SECONDS),
        "fill_runner": runner,
        "fill_worker": worker,
    }


def _task(task: Task) -> str:
    how = "once" if task.once else "alone" if task.alone else "again"
    return f"{task.each or 'all'}\t{how}\t{task.command}"


def ahead(stop: Stop) -> dict[str, str]:
    """The variables of shell/ahead.part.sh."""
    return {"migrate_to": releases()[stop.version].newest_migration, "ahead_queue": QUEUE}


def _jobs(stop: Stop) -> list[str]:
    """The classes of its jobs, each once; constraints name theirs without the module."""
    named = [job for task in stop.task for job in task.jobs]
    named += [f"{MODULE}{job}" for each in stop.constraints for job in each.filled_by]
    return sorted(set(named))


def counting(proof: Proof) -> str:
    """psql's text, in one line, that prints how many rows a proof leaves.

    A table that isn't there has no row. One that lacks a column can't be judged, unless it is empty: then the text says so.
    """
    table, columns = proof.table, ", ".join(f"'{each}'" for each in proof.columns)
    lacking = f"SELECT CASE count(*) WHEN 0 THEN '0' ELSE 'it has no column {_either(proof.columns)}' END FROM {table}"
    there = (
        f"(SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped "
        f"AND attname IN ({columns})) = {len(proof.columns)}"
        if columns
        else "true"
    )
    return (
        f"SELECT CASE WHEN to_regclass('{table}') IS NULL THEN 'SELECT 0' WHEN {there} THEN {_quoted(proof.statement)} "
        f"ELSE {_quoted(lacking)} END \\gexec"
    )


def _either(columns: Iterable[str]) -> str:
    return " or ".join(columns)


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def complete(begun: Outcome, go_on: Callable[[], Outcome], say: Callable[[str], None]) -> Outcome:
    """Go on with a filling until all of it is done, or failed; the last outcome. ``say`` hears now and then what is left."""
    done, said = begun, time.monotonic()
    while not done.code and done.last.startswith("more\t"):
        if time.monotonic() - said >= _SAID_SECONDS:
            said = time.monotonic()
            say(done.last.removeprefix("more\t"))
        done = go_on()
    return done


def result(done: Outcome) -> Result:
    """What a filling that is done has printed."""
    rows = [line.split("\t") for line in done.lines]
    proofs = tuple(
        Filled(row[1], int(row[2]), int(row[3])) for row in rows if row[0] == "filled" and len(row) == 4
    )
    return Result(proofs, next((int(row[1]) for row in rows if row[0] == "seconds" and len(row) == 2), 0))


def described(filled: Result) -> str:
    """Such as "7 rows filled in within 12 s (no row of fees without organization_id: 7 rows, 9 s), and 3 proofs hold"."""
    if not filled.proofs:
        return f"the tasks have run, in {filled.seconds} s; nothing in the database shows that they are done"
    hold = "1 proof holds" if len(filled.proofs) == 1 else f"{len(filled.proofs)} proofs hold"
    shown = "; ".join(
        f"{each.says}: {_rows(each.rows)}, {each.seconds} s" for each in filled.proofs if each.rows
    )
    if not shown:
        return f"nothing was left to fill in, and {hold}"
    return f"{_rows(filled.rows)} filled in within {filled.seconds} s ({shown}), and {hold}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
