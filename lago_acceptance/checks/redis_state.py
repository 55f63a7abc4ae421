"""Why a Redis that answers takes no jobs: by the answer to a write, else by what INFO says."""

from __future__ import annotations

import msgspec

from lago_acceptance.checks import elsewhere
from lago_acceptance.core.moments import duration, minute
from lago_acceptance.core.roles import API, REDIS
from lago_acceptance.core.urls import service_url
from lago_acceptance.facts.redis_answers import INFO, SIDEKIQ, WRITE, RedisAnswers
from lago_acceptance.facts.types import Container, Facts

NO_JOB = (
    "no job can be enqueued, so no usage, no invoice and no webhook; calls of the API that enqueue one answer 500 after "
    "they have written their row, and what they would have enqueued is lost"
)
_PAUSED = "nothing is enqueued or run meanwhile: calls of the API that enqueue a job answer 500"


class Refusal(msgspec.Struct, frozen=True):
    """What keeps Redis from taking jobs: the finding's id, and its texts. ``fix`` may name Redis' client (``{cli}``) and its log (``{log}``)."""

    id: str
    problem: str
    impact: str
    fix: str


def container(facts: Facts) -> Container | None:
    """The Redis that was asked, else the deployment's first; None where Redis runs elsewhere."""
    if REDIS in facts.elsewhere:
        return None
    everything = facts.of_role(REDIS)
    asked = facts.redis.container if facts.redis else ""
    return next((each for each in everything if each.id == asked), next(iter(everything), None))


def command(facts: Facts) -> str:
    """How redis-cli is called in this deployment's Redis."""
    if REDIS in facts.elsewhere:
        return elsewhere.CLIENTS[REDIS]
    found = container(facts)
    urls = (service_url(each.service.value("REDIS_URL")) for each in facts.of_role(API))
    password = any(url and url.password for url in urls)
    return f"docker exec {'-e REDISCLI_AUTH ' if password else ''}{found.name if found else 'lago-redis'} redis-cli"


def refusal(facts: Facts) -> Refusal | None:
    """Why Redis takes no writes, None where it takes them, or where that isn't known."""
    answers = facts.redis
    if answers is None:
        return None
    said = next((answers.errors[name] for name in (WRITE, INFO, SIDEKIQ) if name in answers.errors), "")
    found = _by_word(said, answers, facts.host_clock)
    return found or (None if _takes_writes(answers) else _by_info(answers, facts.host_clock))


def _takes_writes(answers: RedisAnswers) -> bool:
    return WRITE not in answers.errors and bool(answers.info)


def _by_word(said: str, answers: RedisAnswers, now: float) -> Refusal | None:
    """What the error to a write means."""
    word = said.partition(" ")[0]
    if word == "MISCONF" and "AOF" in said:
        return _append_fails(said)
    if word == "MISCONF":
        return _cannot_save(answers, now)
    if word == "OOM":
        return _full(answers)
    if word in ("READONLY", "MASTERDOWN"):
        return _replica(answers)
    if word == "NOREPLICAS":
        return Refusal(
            "redis-lacks-replicas",
            f"Redis refuses every write, for it has fewer replicas than min-replicas-to-write: {said[:150]}",
            NO_JOB,
            "{cli} CONFIG SET min-replicas-to-write 0, and take the setting out of Redis' command or configuration",
        )
    if word == "LOADING":
        return _loading(answers)
    if word == "BUSY":
        return Refusal(
            "redis-script-runs",
            f"Redis answers nothing, for a script in it doesn't end: {said[:150]}",
            _PAUSED,
            "end it with `{cli} SCRIPT KILL`; if it has written already, Redis refuses that: wait for its end",
        )
    if "max number of clients" in said:
        return _clients_full(answers)
    if word == "NOPERM" and "'zadd'" in said.lower():
        return Refusal(
            "redis-forbids-writes",
            f"the user of Lago's REDIS_URL may not write to Redis: {said[:150]}",
            NO_JOB,
            "give that user the right: `{cli} ACL SETUSER <user> on ~* &* +@all`, and in the ACL file or configuration",
        )
    return None


def _by_info(answers: RedisAnswers, now: float) -> Refusal | None:
    """What INFO says, for a Redis that doesn't let a write be tried."""
    info = answers.info
    if info.get("loading") == "1":
        return _loading(answers)
    if info.get("role") == "slave" and info.get("slave_read_only", "1") == "1":
        return _replica(answers)
    if info.get("aof_enabled") == "1" and info.get("aof_last_write_status") == "err":
        return _append_fails("aof_last_write_status is err")
    stops = answers.settings.get("stop-writes-on-bgsave-error", "yes") == "yes" and answers.settings.get(
        "save", "?"
    )
    if info.get("rdb_last_bgsave_status") == "err" and stops:
        return _cannot_save(answers, now)
    used, most = answers.number("used_memory") or 0, answers.number("maxmemory") or 0
    if most and used >= most and answers.policy == "noeviction":
        return _full(answers)
    return None


def last_saved(answers: RedisAnswers, now: float) -> str:
    """When the last snapshot was made, in words; "" where that isn't known."""
    saved = answers.number("rdb_last_save_time")
    return f"; the last that succeeded is of {minute(saved)}, {duration(now - saved)} ago" if saved else ""


def _cannot_save(answers: RedisAnswers, now: float) -> Refusal:
    return Refusal(
        "redis-cannot-save",
        "Redis refuses every write (MISCONF), for its last snapshot could not be written to disk"
        + last_saved(answers, now),
        NO_JOB + "; the jobs in memory are gone if Redis restarts",
        "read {log} for the reason (disk full, directory not writable), repair it, then `{cli} "
        "BGSAVE`: writes are accepted again once it succeeds",
    )


def _append_fails(said: str) -> Refusal:
    return Refusal(
        "redis-aof-fails",
        f"Redis can't write to its append-only file, and refuses every write: {said[:150]}",
        NO_JOB,
        "read {log} for the reason (mostly a full disk: df -h), and repair it; Redis goes on by itself",
    )


def _full(answers: RedisAnswers) -> Refusal:
    used, most = answers.number("used_memory"), answers.number("maxmemory")
    figures = f" ({used / 2**20:.1f} of {most / 2**20:.1f} MiB)" if used and most else ""
    return Refusal(
        "redis-memory-full",
        f"Redis has used all of its maxmemory{figures} and refuses every write that needs more (OOM)",
        NO_JOB,
        "raise it: `{cli} CONFIG SET maxmemory <bytes>` and --maxmemory in Redis' command, below its container's limit; "
        "see what fills it with `{cli} --bigkeys`",
    )


def _replica(answers: RedisAnswers) -> Refusal:
    info = answers.info
    master = f" of {info['master_host']}:{info.get('master_port', '?')}" if info.get("master_host") else ""
    down = answers.number("master_link_down_since_seconds")
    lost = f", which it hasn't reached for {duration(down)}" if down else ""
    return Refusal(
        "redis-is-a-replica",
        f"Redis is a read-only replica{master}{lost}, and refuses every write",
        NO_JOB + "; once it reaches its master, its data are replaced by the master's",
        "`{cli} REPLICAOF NO ONE` makes it a master again; find out who sent REPLICAOF (a Redis that the internet can reach "
        "is taken over this way), or give Lago the master's address",
    )


def _loading(answers: RedisAnswers) -> Refusal:
    left = answers.number("loading_eta_seconds")
    return Refusal(
        "redis-loading",
        "Redis is loading its data from disk and answers nothing until it is done"
        + (f" (in about {duration(left)}, it says)" if left else ""),
        _PAUSED,
        "wait for it: `{cli} INFO persistence`; if it starts over again and again, read {log}",
    )


def _clients_full(answers: RedisAnswers) -> Refusal:
    return Refusal(
        "redis-clients-full",
        "Redis takes no further connection: its maxclients is reached",
        "processes of Lago that start or reconnect get no connection: their jobs are not enqueued",
        "see who holds them with `{cli} CLIENT LIST` once one is free, and raise maxclients (`{cli} CONFIG SET maxclients "
        "10000`, and in Redis' command)",
    )


def log(facts: Facts) -> str:
    """Where Redis' log is read, for a sentence."""
    found = container(facts)
    said = elsewhere.log(facts, REDIS, found.name if found else "NAME")
    return said if REDIS in facts.elsewhere else f"`{said}`"
