"""Checks of Redis: it lets Lago in, takes its jobs, keeps them, and has room for more."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, redis_state
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import duration, minute
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import REDIS
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.redis_answers import INFO, SCRIPT, SETTINGS, WRITE, RedisAnswers
from lago_acceptance.facts.types import Facts

# Parts of maxmemory, maxclients and the container's memory from which on it is time to act.
_NEAR = 0.85


# redis-evicts is the id of the rule for the same defect in a compose file (rules/redis.py).
@registry.check(phase=2, errors={"redis-refuses-lago": "Redis accepts Lago's own password."})
def answers_and_never_evicts(facts: Facts) -> Iterator[Finding]:
    """Redis answers with the password of Lago's REDIS_URL, and its maxmemory-policy is noeviction."""
    availability.must_be_asked(facts, REDIS, facts.redis_error)
    if facts.redis is None:
        cli = redis_state.command(facts)
        yield Finding(
            id="redis-refuses-lago",
            role=REDIS,
            problem=f"Redis does not answer with Lago's own password: {facts.redis_error or 'no reply'}",
            impact="no job is enqueued or run: nothing is billed. Connections from before the password changed go on until "
            "their process restarts",
            fix="set the password in REDIS_URL (or REDIS_PASSWORD) to the one that Redis is started with, and recreate "
            f"Lago's containers; `{cli} PING` answers PONG with the right one in REDISCLI_AUTH",
        )
        return
    if facts.redis.policy is None and (by := availability.redis_trouble(facts)):
        raise Blocked(by, "Redis does not say its maxmemory-policy")
    if facts.redis.policy is None:
        raise _unknown(facts.redis, INFO, "its maxmemory-policy", "+info")
    evicted = facts.redis.number("evicted_keys")
    if facts.redis.policy != "noeviction":
        yield Finding(
            id="redis-evicts",
            role=REDIS,
            problem=f"its maxmemory-policy is {facts.redis.policy}"
            + (f", and it has evicted {evicted} keys {_since_start(facts)}" if evicted else ""),
            impact="when its memory is full, it drops jobs: invoices are never created, without any error",
            fix=f"start it with --maxmemory-policy noeviction; until then `{redis_state.command(facts)} CONFIG SET "
            "maxmemory-policy noeviction`",
        )


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
    answers = _asked(facts)
    cli, found = redis_state.command(facts), redis_state.container(facts)
    if trouble := redis_state.refusal(facts):
        yield Finding(
            id=trouble.id,
            role=REDIS,
            service=found.service.name if found else None,
            problem=trouble.problem,
            impact=trouble.impact,
            fix=trouble.fix.format(cli=cli, name=found.name if found else "lago-redis"),
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
        raise _unknown(answers, INFO, "whether it takes jobs", "+zadd, or +info")


@registry.check(
    phase=2,
    errors={"redis-snapshot-failed": "Redis' last snapshot succeeded."},
    warnings={"redis-evicted-keys": "Redis has evicted nothing since it started."},
)
def keeps_jobs(facts: Facts) -> Iterator[Finding]:
    """Redis saves its data: snapshots or the append-only file are on at run time, and the last snapshot did not fail."""
    answers = _asked(facts)
    _blocked(facts, "whether Redis keeps its data")
    cli = redis_state.command(facts)
    if not answers.info:
        raise _unknown(answers, INFO, "whether it saves its data", "+info")
    if answers.info.get("rdb_last_bgsave_status") == "err":
        yield Finding(
            id="redis-snapshot-failed",
            role=REDIS,
            problem="its last snapshot failed" + redis_state.last_saved(answers, facts.host_clock),
            impact="the jobs of the time since then are gone if Redis restarts: their invoices and webhooks are never made",
            fix=f"read Redis' log for the reason (disk full, directory not writable), then `{cli} BGSAVE`",
        )
    evicted = answers.number("evicted_keys")
    if evicted and answers.policy == "noeviction":
        yield Finding(
            id="redis-evicted-keys",
            role=REDIS,
            problem=f"it has evicted {evicted} keys {_since_start(facts)}, under another maxmemory-policy than now",
            impact="jobs may have been among them: their invoices and webhooks are missing, without any error",
            fix=f"compare the invoices of that time; `{cli} CONFIG RESETSTAT` resets the count",
        )
    if "save" not in answers.settings or "appendonly" not in answers.settings:
        raise _unknown(answers, SETTINGS, "whether it saves its data", "+config|get")
    if answers.settings["save"] == "" and answers.settings["appendonly"] == "no":
        yield Finding(
            id="redis-not-persistent",
            role=REDIS,
            severity=Severity.ERROR,
            problem='it saves nothing to disk: save is "" and appendonly no at run time',
            impact="all waiting and scheduled jobs are gone after each restart: their invoices, webhooks and PDFs are never made",
            fix=f"`{cli} CONFIG SET appendonly yes`, start it with --appendonly yes, and mount a named volume at its data "
            "directory",
        )


@registry.check(
    phase=2,
    warnings={
        "redis-memory-nearly-full": "Redis' memory is not nearly full.",
        "redis-clients-nearly-full": "Redis' connections are not nearly used up.",
        "redis-clients-rejected": "Redis has turned away no connection since it started.",
    },
)
def has_room(facts: Facts) -> Iterator[Finding]:
    """Used memory is below 85 % of maxmemory and of the container's limit, and so are connections of maxclients."""
    answers = _asked(facts)
    _blocked(facts, "how much room Redis has")
    if not answers.info:
        raise _unknown(answers, INFO, "its memory and connections", "+info")
    found = redis_state.container(facts)
    cli = redis_state.command(facts)
    limit = found.service.memory if found else None
    limits = (
        (
            "maxmemory",
            answers.number("maxmemory"),
            "used_memory",
            "it refuses every write: " + redis_state.NO_JOB,
        ),
        (
            "its container's limit",
            limit,
            "used_memory_rss",
            "the kernel kills it: the jobs since its last save are lost",
        ),
    )
    for name, most, field, then in limits:
        used = answers.number(field)
        if used and most and used > _NEAR * most:
            yield Finding(
                id="redis-memory-nearly-full",
                role=REDIS,
                problem=f"it uses {used / 2**20:.1f} MiB, {100 * used / most:.0f} % of {name} ({most / 2**20:.1f} MiB)",
                impact=f"when it reaches that, {then}",
                fix=f"see what fills it with `{cli} --bigkeys`, and raise the limit",
            )
    clients, most = answers.number("connected_clients"), answers.number("maxclients")
    if clients and most and clients > _NEAR * most:
        yield Finding(
            id="redis-clients-nearly-full",
            role=REDIS,
            problem=f"{clients} of {most} connections (maxclients) are used",
            impact="when all are, processes of Lago that start or reconnect can't enqueue a job",
            fix=f"see who holds them with `{cli} CLIENT LIST`, and raise maxclients",
        )
    if rejected := answers.number("rejected_connections"):
        yield Finding(
            id="redis-clients-rejected",
            role=REDIS,
            problem=f"it has turned away {rejected} connections {_since_start(facts)}: maxclients ({most}) was reached",
            impact="what these clients were about to enqueue is lost",
            fix=f"raise maxclients; `{cli} CONFIG RESETSTAT` resets the count",
        )


def _asked(facts: Facts) -> RedisAnswers:
    """What Redis answered; Blocked where it refuses Lago."""
    if facts.redis is None:
        availability.must_be_asked(facts, REDIS, facts.redis_error)
        raise Blocked("redis-refuses-lago", "Redis could not be read")
    return facts.redis


def _blocked(facts: Facts, what: str) -> None:
    if by := availability.redis_trouble(facts):
        raise Blocked(by, what)


def _unknown(answers: RedisAnswers, asked: str, what: str, right: str) -> Unknown:
    """Why something isn't known of a Redis that forbids a question: by an ACL, or because the command was renamed."""
    said = answers.errors.get(asked, "no answer")
    return Unknown(
        f"Redis did not say {what}: {said[:150]}",
        why=f"Redis does not let Lago's user ask: {said[:150]}",
        fix=f"allow it to the user in REDIS_URL (ACL SETUSER <user> {right}), and don't rename the command",
    )


def _since_start(facts: Facts) -> str:
    """Since when a counter of INFO counts."""
    uptime = facts.redis.number("uptime_in_seconds") if facts.redis else None
    return f"since {minute(facts.host_clock - uptime)} ({duration(uptime)})" if uptime else "since it started"
