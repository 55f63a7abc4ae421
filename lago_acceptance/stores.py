"""What PostgreSQL and Redis answered inside their containers; Blocked or Unknown, with the reason, where they
did not."""

from __future__ import annotations

import re
from typing import Any

from lago_acceptance import sidekiq
from lago_acceptance.errors import Blocked, Unknown
from lago_acceptance.facts import Facts
from lago_acceptance.roles import DB, REDIS

_NAMES = {DB: "the database", REDIS: "Redis"}
_NEVER_ASKED = re.compile(
    r"(psql|redis-cli)\W+(command )?not found|executable file not found|no DATABASE_URL is"
)


def database(facts: Facts) -> dict[str, Any]:
    """The answers of readings/facts.sql by their names."""
    if facts.database is None:
        must_be_asked(facts, DB, facts.database_error)
        raise Blocked("database-refuses-lago", "the database does not let Lago in")
    return facts.database


def jobs(facts: Facts) -> sidekiq.Sidekiq:
    """Sidekiq's data in the Redis database that the API enqueues to."""
    found = sidekiq.as_enqueued_to(facts)
    if found is None:
        must_be_asked(facts, REDIS, facts.redis_error)
        raise Blocked("redis-refuses-lago", "Redis could not be read")
    return found


def must_be_asked(facts: Facts, role: str, error: str) -> None:
    """Blocked where it does not run, Unknown where nobody could ask it; None where it was asked."""
    if not facts.of_role(role):
        raise Unknown(
            f"{_NAMES[role]} is not one of this deployment's containers, and can't be asked from here"
        )
    if not facts.running(role):
        raise Blocked("service-down", f"{_NAMES[role]} does not run")
    if _NEVER_ASKED.search(error):
        raise Unknown(f"{_NAMES[role]} can't be asked inside its container: {error}")
