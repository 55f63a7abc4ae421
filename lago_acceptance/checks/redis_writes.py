"""Check that Redis takes Lago's jobs."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import redis_asked, redis_state
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import REDIS
from lago_acceptance.facts.redis_answers import INFO, SCRIPT, WRITE
from lago_acceptance.facts.types import Facts


@registry.check(
    phase=2,
    errors={
        "redis-cannot-save": "Redis takes writes: its last snapshot did not fail.",
        "redis-aof-fails": "Redis can write to its append-only file.",
        "redis-memory-full": "Redis has memory left for jobs.",
        "redis-is-a-replica": "Lago's Redis is a master.",
        "redis-lacks-replicas": "Redis has as many replicas as it needs to take writes.",
        "redis-loading": "Redis has loaded its data.",
        "redis-script-runs": "No script blocks Redis.",
        "redis-clients-full": "Redis takes further connections.",
        "redis-forbids-writes": "The user of Lago's REDIS_URL may write to Redis.",
        "redis-protected": "Redis talks to other containers.",
    },
    warnings={"redis-forbids-scripts": "The user of Lago's REDIS_URL may run scripts in Redis."},
)
def takes_jobs(facts: Facts) -> Iterator[Finding]:
    """Redis takes a write and knows scripts, with the user of Lago's REDIS_URL.

    A write to what isn't there is tried, which changes nothing. Where that is not allowed, INFO tells.
    """
    answers = redis_asked.answers(facts)
    cli, found = redis_state.command(facts), redis_state.container(facts)
    if trouble := redis_state.refusal(facts):
        yield Finding(
            id=trouble.id,
            role=REDIS,
            service=found.service.name if found else None,
            problem=trouble.problem,
            impact=trouble.impact,
            fix=trouble.fix.format(cli=cli, log=redis_state.log(facts)),
        )
        return
    if answers.settings.get("protected-mode") == "yes" and answers.anonymous:
        yield Finding(
            id="redis-protected",
            role=REDIS,
            problem="protected-mode is on and no password is set: Redis talks to its own container alone, and denies all others",
            impact=redis_state.NO_JOB,
            fix="give Redis a password (--requirepass, and the same in REDIS_URL), or start it with --protected-mode no on a "
            f"network that nobody else is on; for the moment `{cli} CONFIG SET protected-mode no`",
        )
    said = answers.errors.get(SCRIPT, "")
    if said.startswith("NOPERM") or "nknown command" in said:
        yield Finding(
            id="redis-forbids-scripts",
            role=REDIS,
            problem=f"Lago's user may not run scripts in Redis (EVALSHA): {said[:150]}",
            impact="Sidekiq moves scheduled jobs to their queues by a script, and Lago locks unique jobs by one: neither works",
            fix="allow EVALSHA, SCRIPT LOAD and EVAL to the user in REDIS_URL (ACL SETUSER <user> +@scripting), and rename none "
            "of them",
        )
    if WRITE in answers.errors and not answers.info:
        raise redis_asked.not_said(facts, INFO, "whether it takes jobs", "+zadd, or +info")
