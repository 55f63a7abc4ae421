"""Sessions that hold Lago up: locks that are kept. Nothing here needs more than PostgreSQL's answer."""

from __future__ import annotations

from lago_acceptance.checks.postgres.remedies import begun, identifier, lasting, psql, server, whose
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import DB
from lago_acceptance.facts.database_server import Holder
from lago_acceptance.facts.types import Facts

# Seconds. Lago locks rows only, for the moment of a job; a table only in a migration, and never without working in it.
IDLE, TABLE, ROWS = 5, 15, 60
CANCELLED = ("lock timeout", "statement timeout")


def held(facts: Facts) -> list[Finding]:
    """A finding for each session that keeps a lock which stops Lago."""
    return [_finding(facts, each) for each in server(facts).holders or () if _is_kept(facts, each)]


def unseen(facts: Facts) -> tuple[Holder, ...]:
    """Sessions with a lock that stops writes, of which can't be seen how long they have had it."""
    holders = server(facts).holders or ()
    return tuple(
        each for each in holders if each.pid and _age(facts, each) is None and not _is_kept(facts, each)
    )


def was_cancelled(error: str) -> bool:
    """Whether a statement ended because it waited too long."""
    return any(each in error for each in CANCELLED)


def _is_kept(facts: Facts, holder: Holder) -> bool:
    if holder.waits or holder.kind not in (None, "client backend"):
        return False
    age, waited = _age(facts, holder) or 0.0, holder.waited or 0.0 if holder.waiting else 0.0
    if holder.tables and (age >= TABLE or waited >= TABLE):
        return True
    if holder.tables and holder.idle is not None and (holder.idle >= IDLE or _looks_waited(facts)):
        return True
    return waited >= (TABLE if holder.idle is not None or not holder.pid else ROWS)


def _looks_waited(facts: Facts) -> bool:
    """Whether a question of this look itself ended for a lock."""
    errors = [each.error for each in facts.database.signs.values()] if facts.database else []
    return any("lock timeout" in each for each in (*errors, facts.database_error))


def _age(facts: Facts, holder: Holder) -> float | None:
    """How old the holder's transaction is."""
    found = server(facts)
    if not holder.pid and found.prepared and found.about and found.about.now:
        return found.about.now - min(each.since for each in found.prepared)
    return holder.age


def _finding(facts: Facts, holder: Holder) -> Finding:
    age = _age(facts, holder)
    who = f"{whose(facts, holder.application, holder.address, holder.role)}, pid {holder.pid},"
    # The oldest prepared transaction is the one, unless there are several.
    prepared = server(facts).prepared if not holder.pid else ()
    if not holder.pid:
        who = f"the prepared transaction {prepared[0].name}" if prepared else "a prepared transaction"
    what = f"the table {', '.join(holder.tables)} ({', '.join(holder.modes)})" if holder.tables else "rows"
    since = f"{begun(facts, age)} ({lasting(age)})" if age is not None else ""
    idle = f", idle in its transaction for {lasting(holder.idle)}" if holder.idle is not None else ""
    waiting = "nobody waits for it yet"
    if holder.waiting:
        waiting = f"{holder.waiting} sessions wait for it"
        waiting += f", the longest for {lasting(holder.waited)}" if holder.waited is not None else ""
    rollback = f"SELECT pg_terminate_backend({holder.pid})"
    if prepared:
        rollback = "ROLLBACK PREPARED '" + prepared[0].name.replace("'", "''") + "'"
    command = psql(facts, rollback)
    return Finding(
        id="database-lock-held",
        role=DB,
        problem=f"{who} has kept {what} locked{since}{idle}; {waiting}",
        impact="usage, jobs and requests that need it wait until it ends or their own time-outs pass: usage is lost and "
        "invoices are late",
        fix=f"end it: {command} (what it has not committed is rolled back)"
        + ("" if holder.pid else f"; all of them: {psql(facts, 'SELECT * FROM pg_prepared_xacts')}"),
    )


def named(holder: Holder) -> str:
    """A session in a few words, for what can't be judged."""
    return f"pid {holder.pid} of the role {identifier(holder.role)} on {', '.join(holder.tables) or 'rows'}"
