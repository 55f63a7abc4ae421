"""What PostgreSQL and Redis answered inside their containers; Blocked or Unknown, with the reason, where they
did not. And what of Lago's is served by others."""

from __future__ import annotations

import re

from lago_acceptance.core.roles import API, DB, PDF, REDIS, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.answers import DatabaseAnswers
from lago_acceptance.facts.types import Facts

_NAMES = {DB: "the database", REDIS: "Redis"}
_URLS = {DB: "DATABASE_URL", REDIS: "REDIS_URL", PDF: "LAGO_PDF_URL"}
_NEVER_ASKED = re.compile(
    r"(psql|redis-cli)\W+(command )?not found|executable file not found|no DATABASE_URL is"
)


def database(facts: Facts) -> DatabaseAnswers:
    """The answers of scripts/database.sql by their names."""
    if facts.database is None:
        must_be_asked(facts, DB, facts.database_error)
        raise Blocked("database-refuses-lago", "the database does not let Lago in")
    return facts.database


def jobs(facts: Facts) -> sidekiq.Sidekiq:
    """Sidekiq's data in the Redis database that the API enqueues to."""
    found = sidekiq.as_enqueued_to(facts)
    if facts.redis is None:
        must_be_asked(facts, REDIS, facts.redis_error)
        raise Blocked("redis-refuses-lago", "Redis could not be read")
    if found is None:
        raise Unknown("Redis did not say all of what Sidekiq keeps in it")
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


def elsewhere(facts: Facts, role: str) -> bool:
    """Whether Lago is told to use a database, Redis or PDF service that no container of the deployment is.

    A PDF service is only where its name has dots: upstream's own value names a service that many leave out.
    """
    known = {name for each in facts.containers for name in (each.name, each.service.name)}
    urls = (service_url(each.service.value(_URLS.get(role, ""))) for each in facts.of_role(API, WORKER))
    return any(url.host not in known and (role != PDF or "." in url.host) for url in urls if url)
