"""Checks of Redis: Lago can log in, and no job is evicted."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import REDIS
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts


# redis-evicts is the id of the rule for the same defect in a compose file (rules/redis.py).
@registry.check(phase=2, errors={"redis-refuses-lago": "Redis accepts Lago's own password."})
def answers_and_never_evicts(facts: Facts) -> Iterator[Finding]:
    """Redis answers with the password of Lago's REDIS_URL, and its maxmemory-policy is noeviction."""
    availability.must_be_asked(facts, REDIS, facts.redis_error)
    if facts.redis is None:
        yield Finding(
            id="redis-refuses-lago",
            role=REDIS,
            problem=f"Redis does not answer with Lago's own password: {facts.redis_error or 'no reply'}",
            impact="no job is enqueued or run: nothing is billed",
            fix="set the password in REDIS_URL (or REDIS_PASSWORD) to the one that Redis is started with",
        )
    elif facts.redis.policy is None:
        raise Unknown(
            "Redis did not report its maxmemory-policy",
            fix="allow CONFIG GET or INFO to the user in REDIS_URL",
        )
    elif facts.redis.policy != "noeviction":
        yield Finding(
            id="redis-evicts",
            role=REDIS,
            problem=f"its maxmemory-policy is {facts.redis.policy}",
            impact="when its memory is full, it drops jobs: invoices are never created, without any error",
            fix="start it with --maxmemory-policy noeviction",
        )
