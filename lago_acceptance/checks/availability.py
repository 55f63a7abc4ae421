"""What a check needs before it can judge: a running container, an answer. Blocked or Unknown, with the cause, without."""

from __future__ import annotations

import re

from lago_acceptance.checks import diagnosis, redis_state
from lago_acceptance.checks import elsewhere as stores_elsewhere
from lago_acceptance.checks.database_trouble import database_trouble
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, PDF, REDIS, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.answers import DatabaseAnswers
from lago_acceptance.facts.redis_answers import SIDEKIQ
from lago_acceptance.facts.types import Container, Facts

_NAMES = {
    API: "the API",
    WORKER: "the worker",
    CLOCK: "the clock",
    FRONT: "the front",
    DB: "the database",
    REDIS: "Redis",
    PDF: "the PDF service",
}
_URLS = {DB: "DATABASE_URL", REDIS: "REDIS_URL", PDF: "LAGO_PDF_URL"}
_NEVER_ASKED = re.compile(
    r"(psql|redis-cli)\W+(command )?not found|cannot load such file|executable file not found|no DATABASE_URL is|was not queried: "
)
# Rules that report a missing service, wherever there is an API (lago_acceptance/rules/required_services.py).
_REPORTED_BY_RULE = {WORKER: "no-worker-service", CLOCK: "no-clock-service", PDF: "no-pdf-service"}


def brought_up(facts: Facts) -> None:
    """Blocked where the deployment has no container at all."""
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")


def running(facts: Facts, role: str, missing: str = "") -> Container:
    """The running container of a role. Blocked by the reason why there is none; ``missing`` says what can't be judged."""
    if container := facts.running(role):
        return container
    raise Blocked(why_down(facts, role), missing or f"{_NAMES[role]} is not running")


def running_lago(facts: Facts, *roles: str) -> tuple[Container, ...]:
    """The running containers of Lago's own processes, one a role. Blocked where none of them runs."""
    found = tuple(container for role in roles if (container := facts.running(role)))
    if not found:
        raise Blocked(diagnosis.blocker(facts), f"none of {', '.join(roles)} is running")
    return found


def why_down(facts: Facts, role: str) -> str:
    """The id of the finding that says why no container of a role runs."""
    if facts.containers and not facts.of_role(role):
        return id_of_missing(facts, role)
    # The key and the migration keep Lago's processes from starting, and the front, which waits for the API.
    if not facts.containers or role in (*LAGO_RUBY, FRONT):
        return diagnosis.blocker(facts)
    return "service-down"


def id_of_missing(facts: Facts, role: str) -> str:
    """The id under which a service that the deployment lacks is reported: a rule's, where one says the same."""
    return _REPORTED_BY_RULE.get(role, "service-missing") if facts.of_role(API) else "service-missing"


def database(facts: Facts) -> DatabaseAnswers:
    """What PostgreSQL answered."""
    if facts.database is None:
        must_be_asked(facts, DB, facts.database_error)
        by = database_trouble(facts) or "database-refuses-lago"
        raise Blocked(by, "the database refuses Lago's login")
    return facts.database


def redis_trouble(facts: Facts) -> str:
    """The id of the finding that says why Redis takes no jobs, "" where it takes them or that isn't known."""
    if facts.redis is not None:
        found = redis_state.refusal(facts)
        return found.id if found else ""
    if _unreached(facts, REDIS):
        return "store-not-reached"
    asked = (
        (facts.running(REDIS) or REDIS in facts.elsewhere)
        and facts.redis_error
        and not _NEVER_ASKED.search(facts.redis_error)
    )
    return "redis-refuses-lago" if asked else ""


def jobs(facts: Facts) -> sidekiq.Sidekiq:
    """Sidekiq's data in the Redis database that the API enqueues to. Blocked where Redis takes no jobs."""
    if facts.redis is None:
        must_be_asked(facts, REDIS, facts.redis_error)
        raise Blocked("redis-refuses-lago", "Redis could not be read")
    if by := redis_trouble(facts):
        raise Blocked(by, "Redis takes no jobs")
    found = sidekiq.as_enqueued_to(facts)
    if found is None:
        said = facts.redis.errors.get(SIDEKIQ, "")
        raise Unknown(
            "Redis did not report all of Sidekiq's data" + (f": {said[:150]}" if said else ""),
            why="Redis did not report all of Sidekiq's data",
            fix="allow EVAL, SELECT and reading commands to the user in REDIS_URL (ACL SETUSER <user> +@read +@scripting +select)"
            if said
            else "run again",
        )
    return found


def worked_jobs(facts: Facts) -> sidekiq.Sidekiq:
    """The same, where a worker reads it. Blocked where none does."""
    found = jobs(facts)
    if not found.readers:
        running(facts, WORKER, "no worker is alive")
        by = "worker-quiet" if found.processes else "worker-not-listening"
        raise Blocked(by, "no worker takes jobs")
    return found


def must_be_asked(facts: Facts, role: str, error: str) -> None:
    """Blocked where a store does not run or is not reached, Unknown where nothing could ask it; None where it was asked."""
    if role in facts.elsewhere:
        if not facts.elsewhere[role]:
            raise Blocked(why_down(facts, API), f"no container of Lago's runs to ask {_NAMES[role]} from")
        if _unreached(facts, role):
            raise Blocked("store-not-reached", f"{_NAMES[role]} is not reached")
        if _NEVER_ASKED.search(error):
            raise Unknown(
                f"{_NAMES[role]} at {stores_elsewhere.host(facts, role)} can't be queried from Lago's container: {error}",
                why=f"{_NAMES[role]} can't be queried from Lago's container: {error[:200]}",
            )
        return
    if not facts.of_role(role):
        raise Unknown(
            f"{_NAMES[role]} is not one of this deployment's containers, and can't be queried from here",
            fix="check it where it runs; this suite asks inside containers of the deployment only",
        )
    running(facts, role)
    if _NEVER_ASKED.search(error):
        raise Unknown(
            f"{_NAMES[role]} can't be queried inside its container: {error}",
            why=f"{_NAMES[role]} can't be queried inside its container: {error[:200]}",
        )


def _unreached(facts: Facts, role: str) -> bool:
    """Whether a store that runs elsewhere gave no answer, and the container that it was asked from can't reach it."""
    answered = facts.database if role == DB else facts.redis
    asker = next((each for each in facts.containers if each.id == facts.elsewhere.get(role)), None)
    reached = facts.process(asker).reached.get(_URLS[role])
    return answered is None and reached is not None and bool(reached.error)


def readable_log(facts: Facts, container: Container) -> None:
    """Unknown where Docker can't give a container's log: some logging drivers can't be read back."""
    if unseen := facts.unseen_log(container):
        name = _NAMES.get(container.role or "", container.service.name)
        raise Unknown(
            f"Docker can't show the log of {name}: {unseen}",
            why="Docker can't show the containers' logs",
            fix="set the logging driver to json-file or local",
        )


def elsewhere(facts: Facts, role: str) -> bool:
    """Whether Lago is configured to use a database, Redis or PDF service that no container of the deployment is.

    A PDF service counts only where its name has dots: upstream's own value names a service that many leave out.
    """
    known = {name for each in facts.containers for name in each.names}
    urls = (service_url(each.service.value(_URLS.get(role, ""))) for each in facts.of_role(API, WORKER))
    return any(url.host not in known and (role != PDF or "." in url.host) for url in urls if url)
