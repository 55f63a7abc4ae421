"""Check of who is connected to Redis."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import elsewhere, redis_asked
from lago_acceptance.checks.clients import Client, Stranger, strangers
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import duration
from lago_acceptance.core.roles import CLOCK, LAGO_RUBY, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.redis_answers import CLIENTS, RedisClient
from lago_acceptance.facts.types import Facts


@registry.check(
    phase=2,
    errors={
        "redis-used-by-another-lago": "No process of another Lago works in this Redis.",
        "clock-of-another": "No clock of another project is connected to this Redis.",
    },
    warnings={
        "redis-shared": "No other application uses this Redis.",
        "redis-client-unknown": "Each client of Redis is known.",
    },
)
def belong_to_the_deployment(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Each client of Redis is a container of the deployment, the gateway, or named in deployment.clients.

    A worker of somebody else that is registered with Sidekiq is worker-of-another.
    """
    elsewhere.must_be_here(
        facts, REDIS, "it sees this host's address, or a proxy's, in the place of those of containers"
    )
    answers = redis_asked.answers(facts)
    if answers.clients is None:
        said = answers.errors.get(CLIENTS, "no answer")
        raise Unknown(
            f"Redis did not list its clients: {said[:150]}",
            why=f"Redis does not let Lago's user list its clients: {said[:150]}",
            fix="allow it to the user in REDIS_URL (ACL SETUSER <user> +client|list), and don't rename the command",
        )
    told, number = _workers_told(facts), sidekiq.number_enqueued_to(facts)
    connections: dict[Client, list[RedisClient]] = {}
    for each in answers.clients:
        names = tuple(filter(None, (each.name, each.library)))
        connections.setdefault(Client(each.address, names), []).append(each)
    by_owner: dict[str, list[tuple[Stranger, list[RedisClient]]]] = {}
    for stranger in strangers(facts, settings, connections):
        key = stranger.owner.id if stranger.owner else stranger.client.address
        if key not in told and (stranger.owner or "" not in told):
            by_owner.setdefault(key, []).append((stranger, connections[stranger.client]))
    for found in by_owner.values():
        yield _finding(found[0][0], [each for _, some in found for each in some], number)


def _workers_told(facts: Facts) -> set[str]:
    """The containers whose processes are registered with Sidekiq, by id; "" for one that is no container of this host."""
    jobs = sidekiq.as_enqueued_to(facts)
    found = [sidekiq.container_of(facts, each.hostname) for each in jobs.processes] if jobs else []
    return {each.id if each else "" for each in found}


def _finding(stranger: Stranger, seen: list[RedisClient], number: int) -> Finding:
    owner = stranger.owner
    here = [each for each in seen if each.database in (number, None)]
    others = sorted({each.database for each in seen if each.database is not None and each.database != number})
    since = max((each.age for each in seen if each.age is not None), default=None)
    what = f"{stranger.who} has {len(seen)} connection{'s' if len(seen) > 1 else ''} to this Redis" + (
        f", the oldest for {duration(since)}" if since is not None else ""
    )
    stop = f"docker stop {owner.name}, or give it a Redis of its own" if owner else "find out what runs there"
    allow = "; if it belongs here, name it in deployment.clients"
    if here and owner and owner.role == CLOCK:
        return Finding(
            id="clock-of-another",
            role=REDIS,
            problem=f"{what}: a second clock",
            impact="what recurs is enqueued by two clocks: customers are billed and terminated twice as often as planned, or by "
            "another version",
            fix=stop,
        )
    if here and owner and owner.role in LAGO_RUBY:
        return Finding(
            id="redis-used-by-another-lago",
            role=REDIS,
            problem=f"{what}, in Lago's own database {number}: a process of Lago beside this deployment",
            impact="it takes this deployment's jobs or adds its own, with another database or version: invoices and webhooks are "
            "made for nobody, or twice",
            fix=stop + allow,
        )
    if not here:
        return Finding(
            id="redis-shared",
            role=REDIS,
            problem=f"{what}, in database {', '.join(map(str, others))}, while Lago's jobs are in {number}",
            impact="it shares memory, connections and every FLUSHALL with Lago's jobs",
            fix=stop + allow,
        )
    return Finding(
        id="redis-client-unknown",
        role=REDIS,
        problem=f"{what}, in Lago's own database {number}",
        impact="it can read and delete Lago's jobs",
        fix=stop + allow,
    )
