"""Checks that Redis keeps its jobs through a restart, and has room for more."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import redis_asked, redis_state
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import REDIS
from lago_acceptance.facts.redis_answers import INFO, SETTINGS
from lago_acceptance.facts.types import Facts

# Parts of maxmemory, maxclients and the container's memory from which on it is time to act.
_NEAR = 0.85


@registry.check(
    phase=2,
    errors={"redis-snapshot-failed": "Redis' last snapshot succeeded."},
    warnings={"redis-evicted-keys": "Redis has evicted nothing since it started."},
)
def keeps_jobs(facts: Facts) -> Iterator[Finding]:
    """Redis saves its data: snapshots or the append-only file are on at run time, and the last snapshot did not fail."""
    answers = redis_asked.answers(facts)
    redis_asked.must_take_jobs(facts, "whether Redis keeps its data")
    cli = redis_state.command(facts)
    if not answers.info:
        raise redis_asked.not_said(facts, INFO, "whether it saves its data", "+info")
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
            problem=f"it has evicted {evicted} keys {redis_asked.since_start(facts)}, under another maxmemory-policy than now",
            impact="jobs may have been among them: their invoices and webhooks are missing, without any error",
            fix=f"compare the invoices of that time; `{cli} CONFIG RESETSTAT` resets the count",
        )
    if "save" not in answers.settings or "appendonly" not in answers.settings:
        raise redis_asked.not_said(facts, SETTINGS, "whether it saves its data", "+config|get")
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
    answers = redis_asked.answers(facts)
    redis_asked.must_take_jobs(facts, "how much room Redis has")
    if not answers.info:
        raise redis_asked.not_said(facts, INFO, "its memory and connections", "+info")
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
            problem=f"it has turned away {rejected} connections {redis_asked.since_start(facts)}: maxclients ({most}) was reached",
            impact="what these clients were about to enqueue is lost",
            fix=f"raise maxclients; `{cli} CONFIG RESETSTAT` resets the count",
        )
