"""Checks that PostgreSQL takes Lago's work: it takes writes, has connections left, and nobody keeps it locked."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.checks.postgres import locks, refusals, session_settings
from lago_acceptance.checks.postgres.known import hidden, known, server
from lago_acceptance.checks.postgres.remedies import begun, identifier, lasting, psql, whose
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB
from lago_acceptance.core.settings import Settings
from lago_acceptance.facts.types import Facts

_DAY = 86400
_PASSWORD_WARNING = 30 * _DAY


@registry.check(
    phase=2,
    errors={
        "database-read-only": "PostgreSQL takes Lago's writes.",
        "database-in-recovery": "PostgreSQL is not in recovery.",
    },
)
def takes_writes(facts: Facts) -> Iterator[Finding]:
    """Lago's sessions may write: PostgreSQL is no standby, does not recover, and default_transaction_read_only is off."""
    availability.must_be_asked(facts, DB, facts.database_error)
    found = [each for each in (refusals.in_recovery(facts), refusals.read_only(facts)) if each]
    yield from found[:1]
    if not found:
        known(facts, server(facts).about, "whether it is in recovery")
        known(facts, server(facts).settings, "its settings")


@registry.check(
    phase=2,
    errors={"database-out-of-connections": "PostgreSQL has connections left for Lago."},
    warnings={"database-connections-near-limit": "Fewer than 85 % of PostgreSQL's connections are in use."},
)
def has_connections_left(facts: Facts) -> Iterator[Finding]:
    """Neither max_connections, less those kept for superusers, nor the limit of Lago's role or database is reached.

    A warning from 85 % on, and where a limit is lower than what the pools of Lago's processes may open.
    """
    availability.must_be_asked(facts, DB, facts.database_error)
    if found := refusals.out_of_connections(facts) or refusals.near_the_limit(facts):
        yield found
        return
    known(facts, server(facts).connections, "how many connections are in use")


@registry.check(phase=2, errors={"database-lock-held": "No session keeps Lago's tables or rows locked."})
def nobody_keeps_it_locked(facts: Facts) -> Iterator[Finding]:
    """No session holds a lock on a table of Lago that stops writes, or keeps others waiting for rows.

    A lock of a table counts from 15 s on, from 5 s on if its session is idle in the transaction, and at once if a question
    of this look waited for it in vain. A lock of rows counts once others have waited for 15 s, or 60 s if its session works.
    """
    known(facts, server(facts).holders, "who holds locks")
    found = locks.held(facts)
    yield from found
    if not found and (unseen := locks.unseen(facts)):
        raise hidden(facts, f"how long {locks.named(unseen[0])} has held its lock")


@registry.check(
    phase=2,
    warnings={
        "transaction-open-long": "No transaction has been open for longer than limits.transaction_age.",
        "prepared-transaction-forgotten": "No prepared transaction has been left for longer than limits.transaction_age.",
    },
)
def transactions_end(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """No transaction in Lago's database is older than limits.transaction_age seconds; a dump may take a day.

    What it locks is judged on its own, so that this is a warning: as long as it is open, no deleted row is cleaned up.
    """
    found = server(facts)
    for each in known(facts, found.prepared, "its prepared transactions"):
        age = (found.about.now or 0.0) - each.since if found.about else 0.0
        if age > settings.limits.transaction_age:
            rollback = "ROLLBACK PREPARED '" + each.name.replace("'", "''") + "'"
            yield _open_long(
                facts,
                "prepared-transaction-forgotten",
                f"the prepared transaction {each.name}",
                age,
                rollback,
            )
    for one in known(facts, found.transactions, "its open transactions"):
        if one.age > (_DAY if one.application == "pg_dump" else settings.limits.transaction_age):
            who = f"pid {one.pid} ({whose(facts, one.application, one.address, one.role)}, {one.state})"
            rollback = f"SELECT pg_terminate_backend({one.pid})"
            yield _open_long(facts, "transaction-open-long", f"the transaction of {who}", one.age, rollback)


def _open_long(facts: Facts, id: str, what: str, age: float, rollback: str) -> Finding:
    return Finding(
        id=id,
        role=DB,
        problem=f"{what} has been open{begun(facts, age)} ({lasting(age)})",
        impact="nothing that was deleted or changed since can be cleaned up: tables and the disk grow, queries get slower",
        fix=f"end it if nobody needs it: {psql(facts, rollback)}",
    )


@registry.check(
    phase=2,
    errors={
        "database-setting-breaks-lago": "No setting of the server, role or database breaks Lago's work.",
        "database-privilege-missing": "Lago's role may read and write Lago's tables.",
        "database-search-path": "Lago's sessions look in the schema that holds its tables.",
        "database-rows-hidden": "No row security hides rows from Lago.",
    },
    warnings={
        "database-setting-risky": "No setting of the server, role or database hinders a part of Lago's work.",
        "database-password-expires": "The password of Lago's role does not expire within 30 days.",
    },
)
def lets_lago_work(facts: Facts) -> Iterator[Finding]:
    """Time-outs, search_path, row security, privileges and the like, wherever they are set, let Lago do its work.

    Red: statement_timeout, transaction_timeout or idle_in_transaction_session_timeout below 5 s, lock_timeout below 1 s,
    session_replication_role other than origin, tables or rows that Lago's role can't use. Settings are those with which a
    session of Lago begins: of the server, of the database (ALTER DATABASE) and of the role (ALTER ROLE).
    """
    found = server(facts)
    about = known(facts, found.about, "the role and schemas of Lago's session")
    known(facts, found.settings, "its settings")
    breaking = list(session_settings.breaking(facts))
    yield from breaking
    yield from session_settings.risky(facts)
    known(facts, found.filtered, "which tables have row security") if not breaking else None
    until, now = about.password_until, about.now
    if until is not None and now is not None and until < now + _PASSWORD_WARNING:
        endless = f"ALTER ROLE {identifier(about.role)} VALID UNTIL 'infinity'"
        expired = until < now
        yield Finding(
            id="database-password-expires",
            role=DB,
            severity=Severity.WARNING,
            problem=f"the password of the role {about.role} {'expired' if expired else 'expires'} on {minute(until)}",
            impact="every new connection of Lago is refused from then on, and nothing works after the next restart",
            fix=psql(facts, endless),
        )
