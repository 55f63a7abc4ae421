"""Checks of Sidekiq's processes: each takes jobs, is this deployment's own, and hangs in no job."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.checks.clients import Client, is_local, strangers
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute, since
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.redis_answers import BusyJob
from lago_acceptance.facts.sidekiq import Process
from lago_acceptance.facts.types import Container, Facts

# A process beats every ten seconds. One whose container was removed is silent at once, and forgotten after a minute.
_BEATS = 25
# Seconds after which a worker that was started has connected to Redis.
_CONNECTED = 120


@registry.check(phase=2, errors={"worker-quiet": "Every worker takes new jobs."})
def take_jobs(facts: Facts) -> Iterator[Finding]:
    """No living worker is quiet: after TSTP Sidekiq finishes what it is at and takes nothing more, until it is restarted.

    A deploy does this to the old worker for a moment.
    """
    for process in availability.jobs(facts).processes:
        if not process.quiet:
            continue
        found = sidekiq.container_of(facts, process.hostname)
        at = facts.last_at(found, "Received TSTP") if found else None
        name = found.name if found else process.hostname
        yield Finding(
            id="worker-quiet",
            role=WORKER,
            service=found.service.name if found else None,
            problem=f"the worker in {name} takes no new jobs"
            + (f" {since(at, facts.host_clock)}" if at else "")
            + f": it was sent TSTP, and is quiet; {len(process.work)} jobs still run in it",
            impact=f"it does nothing more for {', '.join(process.queues[:4])}: what another worker doesn't do is not done, and "
            "nothing that is scheduled is started",
            fix=f"restart it: docker restart {name}",
        )


@registry.check(
    phase=2,
    errors={
        "worker-of-another": "Only workers of this deployment take its jobs.",
        "worker-not-connected": "Each worker is connected to the Redis that the API enqueues to.",
    },
)
def are_the_deployments_own(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Every process that is registered in the API's Redis database runs in a container of this deployment or is named in
    deployment.clients (by its host's network, too), and each of its workers is a client of this Redis two minutes after
    its start.
    """
    jobs = availability.jobs(facts)
    own = {each.id for each in facts.containers}
    for process in jobs.processes:
        found = sidekiq.container_of(facts, process.hostname)
        beats = process.beat and facts.host_clock - process.beat < _BEATS
        if beats and not (found and found.id in own) and not _named(facts, settings, process, found):
            yield _of_another(process, found)
    yield from _elsewhere(facts, jobs.processes)


def _named(facts: Facts, settings: Settings, process: Process, found: Container | None) -> bool:
    """Whether the settings name a process, its container, or where the clients are that are on no container of this host."""
    names = {process.hostname, *((found.name, found.service.name) if found else ())}
    if names & set(settings.deployment.clients):
        return True
    if found or not settings.deployment.clients:
        return False
    clients = [Client(each.address) for each in (facts.redis.clients if facts.redis else None) or ()]
    unnamed = {each.client for each in strangers(facts, settings, clients)}
    return any(
        not is_local(each.address) and each not in unnamed and not facts.owner(each.address)
        for each in clients
    )


def _of_another(process: Process, found: Container | None) -> Finding:
    if found:
        project = f" of the project {found.project}" if found.project else ", which belongs to no project"
        who = f"{found.name}{project} ({found.service.image})"
        fix = f"stop it (docker stop {found.name}), or give it a Redis or database number of its own (REDIS_URL)"
    else:
        who = f"a process on {process.hostname}, which is no container of this host"
        fix = "find that host, stop its worker or change its REDIS_URL; then close Redis' port to others"
    return Finding(
        id="worker-of-another",
        role=WORKER,
        problem=f"{who} takes jobs of this deployment from {', '.join(process.queues[:4])}",
        impact="with another database, key or version it fails or does them for nobody: invoices, usage and webhooks are "
        "missing, each time it is the quicker one",
        fix=fix,
    )


def _elsewhere(facts: Facts, processes: tuple[Process, ...]) -> Iterator[Finding]:
    """Workers that are up and of which Redis knows nothing: neither a connection nor a process."""
    clients = facts.redis.clients if facts.redis else None
    if clients is None or any(":" in each.address for each in clients):
        return
    seen = {each.address for each in clients}
    at_work = [sidekiq.container_of(facts, each.hostname) for each in processes]
    for worker in facts.of_role(WORKER):
        age = facts.host_clock - facts.started_at(worker)
        addresses = set(worker.addresses.values())
        if not worker.running or worker in at_work or not addresses or addresses & seen or age < _CONNECTED:
            continue
        # One that runs while no other does is worker-not-listening.
        if worker.restarting or worker.health in ("starting", "unhealthy") or not processes:
            continue
        yield Finding(
            id="worker-not-connected",
            role=WORKER,
            service=worker.service.name,
            problem=f"{worker.name} is up {since(facts.started_at(worker), facts.host_clock)}, and has neither a connection to "
            "this Redis nor a process in it",
            impact="it works for another Redis, or not at all: what its queues hold here waits for others",
            fix=f"compare REDIS_URL in `docker exec {worker.name} env` with the API's, and read docker logs {worker.name}",
        )


@registry.check(
    phase=2, errors={"job-hangs": "No job has been running for longer than the limit in settings.toml."}
)
def finish_their_jobs(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """No job of a living worker has been running for longer than limits.job_age (half an hour)."""
    jobs = availability.jobs(facts)
    now, unknown = facts.host_clock, 0
    for process in jobs.processes:
        hanging: list[tuple[float, BusyJob]] = []
        for job in process.work:
            begun = sidekiq.moment(job.since, now)
            unknown += begun is None
            if begun and now - begun > settings.limits.job_age:
                hanging.append((begun, job))
        if not hanging:
            continue
        begun, oldest = min(hanging, key=lambda each: each[0])
        found = sidekiq.container_of(facts, process.hostname)
        name = found.name if found else process.hostname
        yield Finding(
            id="job-hangs",
            role=WORKER,
            service=found.service.name if found else None,
            problem=f"{oldest.name} (queue {oldest.queue or '?'}, {oldest.id or 'no id'}) has been running in {name} "
            f"{since(begun, now)}"
            + (f"; so have {len(hanging) - 1} more, for shorter" if len(hanging) > 1 else ""),
            impact="its work isn't done, and each such job takes a thread from the others",
            fix=f"see what it waits for (`docker logs {name}`, locks in PostgreSQL); docker restart {name} gives it back to "
            "its queue",
        )
    if unknown:
        raise Unknown(
            f"Sidekiq did not say since when {unknown} jobs have been running",
            why="Sidekiq did not say since when jobs have been running",
            fix=f"look at them in a console (Sidekiq::WorkSet) if they are the same a while after {minute(now)}",
        )
