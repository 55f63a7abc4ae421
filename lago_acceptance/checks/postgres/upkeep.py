"""Checks that PostgreSQL keeps what it has confirmed: no crash, safe settings, no WAL without end."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.postgres.known import hidden, known, server
from lago_acceptance.checks.postgres.remedies import (
    lasting,
    log,
    psql,
    set_where,
    to_default,
    unset,
)
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB
from lago_acceptance.facts.types import Facts

# Seconds that PostgreSQL takes to start its own processes, and for which a crash is news.
_STARTING, _NEWS = 5, 7 * 86400
_UNSAFE = {
    "fsync": "after a power cut or a crash of the host the database can be corrupt beyond repair",
    "full_page_writes": "after a power cut or a crash of the host the database can be corrupt beyond repair",
    "synchronous_commit": "after a crash, the last invoices and payments that Lago was sure of are gone",
}


@registry.check(
    phase=2, warnings={"database-crashed": "No process of PostgreSQL has crashed in the last 7 days."}
)
def has_not_crashed(facts: Facts) -> Iterator[Finding]:
    """PostgreSQL's own processes are as old as the server.

    When one of its processes is killed (signal 9 is usually out of memory) or crashes, PostgreSQL cuts all sessions,
    recovers and starts the others anew. Its container stays up all the while.
    """
    about = known(facts, server(facts).about, "since when it has run")
    if about.processes_started is None or about.started is None or about.now is None:
        raise hidden(facts, "since when PostgreSQL's own processes have run")
    later = about.processes_started - about.started
    if later > _STARTING and about.now - about.processes_started < _NEWS:
        at = minute(about.processes_started)
        yield Finding(
            id="database-crashed",
            role=DB,
            problem=f"PostgreSQL recovered from a crash at {at}, {lasting(later)} after its start: one of its processes was "
            "killed, usually for lack of memory (signal 9), or crashed",
            impact="all sessions were cut at that moment: requests answered 500, and jobs that ran then may have died",
            fix=f"look for 'terminated by signal' in its log ({log(facts, '')}); after signal 9 look for the "
            "kernel's words (journalctl -k | grep -i oom), and give it more memory or lower shared_buffers and work_mem; "
            "check the dead jobs of that time",
        )


# Its id is that of the rule for the same defect in a compose file (rules/durability.py).
def is_crash_safe(facts: Facts) -> Iterator[Finding]:
    """fsync, full_page_writes and synchronous_commit are on, wherever they are set."""
    settings = known(facts, server(facts).settings, "its settings")
    off = [name for name in _UNSAFE if settings.get(name) == "off"]
    if off:
        yield Finding(
            id="database-not-crash-safe",
            role=DB,
            severity=Severity.WARNING if off == ["synchronous_commit"] else Severity.ERROR,
            problem="PostgreSQL runs with "
            + ", ".join(f"{name} = off {set_where(facts, name)}" for name in off),
            impact=_UNSAFE[off[0]],
            fix="; ".join(
                unset(facts, name, "on") if name == "synchronous_commit" else to_default(facts, name)
                for name in off
            ),
        )


@registry.check(phase=2, warnings={"wal-not-archived": "PostgreSQL archives its WAL, where it is set to."})
def wal_is_archived(facts: Facts) -> Iterator[Finding]:
    """The last attempt to archive WAL has worked, where archive_mode is on: until it does, PostgreSQL keeps all of it."""
    archiver = known(facts, server(facts).archiver, "whether its WAL is archived")
    if archiver.on and (archiver.failed_at or 0) > (archiver.archived_at or 0):
        worked = (
            f"it last worked at {minute(archiver.archived_at)}"
            if archiver.archived_at
            else "it has never worked"
        )
        yield Finding(
            id="wal-not-archived",
            role=DB,
            problem=f"archive_command has failed {archiver.failed} times, the last time at {minute(archiver.failed_at or 0)}; "
            f"{worked}",
            impact="all WAL is kept until it is archived: the disk fills up and PostgreSQL stops; and nothing since then can be "
            "restored from the archive",
            fix=f"its log says why ({log(facts)}, lines with archive); correct archive_command or "
            "its target, or set archive_mode = off and restart PostgreSQL",
        )


@registry.check(phase=2, warnings={"replication-slot-inactive": "Every replication slot is read."})
def slots_are_read(facts: Facts) -> Iterator[Finding]:
    """No replication slot is without a reader: PostgreSQL keeps all WAL that it has not read, without end."""
    for slot in known(facts, server(facts).slots, "its replication slots"):
        if slot.active is False:
            held = (
                f"{(slot.held or 0) / 2**20:.0f} MiB of WAL are kept for it"
                if slot.held
                else "WAL is kept for it"
            )
            drop = "SELECT pg_drop_replication_slot('" + slot.name.replace("'", "''") + "')"
            yield Finding(
                id="replication-slot-inactive",
                role=DB,
                problem=f"nobody reads the {slot.kind} replication slot {slot.name}: {held}, and more each minute",
                impact="the disk fills up, and PostgreSQL stops",
                fix=f"start the replica or tool that reads it, or drop it: {psql(facts, drop)}",
            )
