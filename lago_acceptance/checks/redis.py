"""Checks of Redis: Lago can log in, and no job is evicted."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, redis_asked, redis_state
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import REDIS
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.late import MARK
from lago_acceptance.facts.redis_answers import INFO
from lago_acceptance.facts.types import Facts


def _refuses(facts: Facts) -> Finding:
    """The finding of a Redis that lets Lago's user in with no password that it has, or doesn't answer at all."""
    found = redis_state.container(facts)
    problem, more, fix = _reason(facts)
    return Finding(
        id="redis-refuses-lago",
        role=REDIS,
        service=found.service.name if found else None,
        problem=f"{problem}: {facts.redis_error or 'no reply'}",
        impact=f"no job is enqueued or run: nothing is billed{more}",
        fix=fix,
    )


def _reason(facts: Facts) -> tuple[str, str, str]:
    cli, log = redis_state.command(facts), redis_state.log(facts)
    if REDIS in facts.elsewhere and MARK in facts.redis_error:
        return ("Redis takes connections and does not answer", "", f"see what keeps it busy: {log}")
    name = found.name if (found := redis_state.container(facts)) else "NAME"
    if "Could not connect" in facts.redis_error:
        return (
            "Redis takes no connection in its own container",
            "",
            f"read {log}; if Redis was started on another port, give it 6379",
        )
    if MARK in facts.redis_error:
        return (
            "Redis takes connections and does not answer",
            "",
            f"if somebody has paused it, `{cli} CLIENT UNPAUSE`; else see what keeps it busy (docker top {name}, docker logs "
            f"--tail 20 {name}); docker restart {name} ends it, and loses what Redis has not saved",
        )
    return (
        "Redis does not answer with Lago's own password",
        ". Connections from before the password changed go on until their process restarts",
        "set the password in REDIS_URL (or REDIS_PASSWORD) to the one that Redis has, and recreate Lago's containers; "
        f"`{cli} PING` with the right one in REDISCLI_AUTH answers PONG",
    )


# redis-evicts is the id of the rule for the same defect in a compose file (rules/redis.py).
@registry.check(phase=2, errors={"redis-refuses-lago": "Redis accepts Lago's own password."})
def answers_and_never_evicts(facts: Facts) -> Iterator[Finding]:
    """Redis answers with the password of Lago's REDIS_URL, and its maxmemory-policy is noeviction."""
    availability.must_be_asked(facts, REDIS, facts.redis_error)
    if facts.redis is None:
        yield _refuses(facts)
        return
    if facts.redis.policy is None and (by := availability.redis_trouble(facts)):
        raise Blocked(by, "Redis does not say its maxmemory-policy")
    if facts.redis.policy is None:
        said = facts.redis.errors.get(INFO, "")
        raise Unknown(
            "Redis did not report its maxmemory-policy" + (f": {said[:150]}" if said else ""),
            why="Redis did not report its maxmemory-policy",
            fix="allow INFO to the user in REDIS_URL (ACL SETUSER <user> +info), and don't rename the command",
        )
    evicted = facts.redis.number("evicted_keys")
    if facts.redis.policy != "noeviction":
        yield Finding(
            id="redis-evicts",
            role=REDIS,
            problem=f"its maxmemory-policy is {facts.redis.policy}"
            + (f", and it has evicted {evicted} keys {redis_asked.since_start(facts)}" if evicted else ""),
            impact="when its memory is full, it drops jobs: invoices are never created, without any error",
            fix=f"start it with --maxmemory-policy noeviction; until then `{redis_state.command(facts)} CONFIG SET "
            "maxmemory-policy noeviction`",
        )
