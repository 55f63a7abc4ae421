"""What checks of Redis need before they can judge, and how they say what Redis kept to itself."""

from __future__ import annotations

from lago_acceptance.checks import availability, elsewhere
from lago_acceptance.core.moments import duration, minute
from lago_acceptance.core.roles import REDIS
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.types import Facts


def answers(facts: Facts) -> RedisAnswers:
    """What Redis answered; Blocked where it refuses Lago."""
    if facts.redis is None:
        availability.must_be_asked(facts, REDIS, facts.redis_error)
        raise Blocked("redis-refuses-lago", "Redis could not be read")
    return facts.redis


def must_take_jobs(facts: Facts, what: str) -> None:
    """Blocked where Redis takes no jobs; ``what`` can't be judged then."""
    if by := availability.redis_trouble(facts):
        raise Blocked(by, what)


def not_said(facts: Facts, asked: str, what: str, right: str) -> Unknown:
    """Why something isn't known of a Redis that forbids a question: by an ACL, or because the command was renamed."""
    said = answers(facts).errors.get(asked, "no answer")
    if REDIS in facts.elsewhere:
        return Unknown(
            f"Redis at {elsewhere.host(facts, REDIS)} did not say {what}: {said[:150]}",
            why="the Redis that runs elsewhere keeps this to itself, as managed services do",
            fix="look at its settings where it is managed",
        )
    return Unknown(
        f"Redis did not say {what}: {said[:150]}",
        why=f"Redis does not let Lago's user ask: {said[:150]}",
        fix=f"allow it to the user in REDIS_URL (ACL SETUSER <user> {right}), and don't rename the command",
    )


def since_start(facts: Facts) -> str:
    """Since when a counter of INFO counts."""
    uptime = facts.redis.number("uptime_in_seconds") if facts.redis else None
    return f"since {minute(facts.host_clock - uptime)} ({duration(uptime)})" if uptime else "since it started"
