"""What PostgreSQL answered about itself, for checks: Blocked or Unknown where it is missing."""

from __future__ import annotations

from typing import TypeVar

from lago_acceptance.checks import availability, database_trouble, elsewhere
from lago_acceptance.core.roles import DB
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.database_server import DatabaseServer
from lago_acceptance.facts.types import Facts

Value = TypeVar("Value")


def server(facts: Facts) -> DatabaseServer:
    """What PostgreSQL answered about itself. Blocked or Unknown where it could not be asked."""
    return availability.database(facts).server


def known(facts: Facts, value: Value | None, what: str) -> Value:
    """One of its answers. Unknown where it is missing: of another version, refused, or not answered in time."""
    if value is None:
        database_trouble.must_be_without(facts, f"PostgreSQL did not report {what}")
        if DB in facts.elsewhere:
            raise Unknown(
                f"PostgreSQL at {elsewhere.host(facts, DB)} did not report {what}: {facts.database_error[:200] or 'no answer'}",
                why="the PostgreSQL that runs elsewhere keeps this to itself, as managed services do",
                fix="look at its settings where it is managed",
            )
        raise Unknown(
            f"PostgreSQL did not report {what}: {facts.database_error[:200] or 'no answer'}",
            why="PostgreSQL did not report everything about itself",
            fix="run again",
        )
    return value


def hidden(facts: Facts, what: str) -> Unknown:
    """Why what others' sessions do is not known, and what makes it visible."""
    about = server(facts).about
    role = about.role if about else "of DATABASE_URL"
    return Unknown(
        f"the role {role} may not see {what}",
        why="Lago's role may not see what the sessions of other roles do",
        fix=f'let it: GRANT pg_monitor TO "{role}"',
    )
