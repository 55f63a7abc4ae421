"""Checks of the worker: it listens where the API enqueues, finishes jobs, and ends when it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.roles import API, CLOCK, WORKER
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Container, Facts


@registry.check(
    phase=2,
    errors={"worker-not-listening": "A worker listens to the Redis database that the API enqueues to."},
)
def listens_where_the_api_enqueues(facts: Facts) -> Iterator[Finding]:
    """A living worker reads the Redis database that the API's REDIS_URL names.

    A worker on another database looks healthy to every healthcheck, but nothing is billed.
    """
    jobs = availability.jobs(facts)
    if jobs.processes:
        return
    container = availability.running(facts, WORKER)
    if container.health == "unhealthy":
        raise Blocked("service-down", "which Redis database the worker reads")
    databases = (facts.redis.databases if facts.redis else None) or ()
    others = [each.number for each in databases if each.processes and each.number != jobs.number]
    yield Finding(
        id="worker-not-listening",
        role=WORKER,
        problem=f"no worker is alive in Redis database {jobs.number}, which the API enqueues to"
        + (f"; one listens to database {others[0]}" if others else ""),
        impact="jobs pile up: no invoices, no webhooks, no usage, while every healthcheck is green",
        fix=f"its REDIS_URL is the API's, so its process hangs or was started only now: docker logs --tail 50 {container.name} "
        f"says what it did last; docker restart {container.name}"
        if _same_redis(facts, container) and not others
        else "give API, worker and clock the same REDIS_URL, and recreate them",
    )


def _same_redis(facts: Facts, worker: Container) -> bool:
    urls = {each.service.value("REDIS_URL") for each in (worker, facts.running(API)) if each}
    return len(urls) == 1 and None not in urls


@registry.check(phase=2, errors={"worker-idle": "The worker has finished at least one job."})
def has_finished_a_job(facts: Facts) -> Iterator[Finding]:
    """Sidekiq's counters show a finished job. The clock enqueues some every five minutes, so there always is one."""
    jobs = availability.worked_jobs(facts)
    if jobs.processed > jobs.failed:
        return
    availability.running(facts, CLOCK, "without a clock no job is enqueued")
    yield Finding(
        id="worker-idle",
        role=WORKER,
        problem=f"the worker took {jobs.processed} jobs, {jobs.failed} failed and none was finished",
        impact="nothing is billed",
        fix="read the worker's log from its start; the clock enqueues jobs every five minutes",
    )


@registry.check(phase=2)
def ends_when_it_is_stopped(facts: Facts) -> Iterator[Finding]:
    """Process 1 of the worker's container handles the signal of `docker stop`, and so Sidekiq gets it.

    Sidekiq finishes its jobs then, or gives them back to Redis. ./scripts/start.worker.sh of 1.16.0 runs Sidekiq below
    a shell, which ignores the signal: Docker kills both after the grace period, and the jobs in flight are lost.
    """
    availability.running(facts, WORKER)
    for container in facts.of_role(WORKER):
        handled = facts.process(container).signals
        name = _signal(container.service.stop_signal)
        if handled is None or name in handled:
            continue
        yield Finding(
            id="jobs-lost-at-stop",
            role=WORKER,
            service=container.service.name,
            problem=f"process 1 of its container ignores {name}, the signal of `docker stop`, so Sidekiq never gets it",
            impact="every deploy and restart kills it in the middle of its jobs: invoices are left half-made, and "
            "webhooks in flight are never sent",
            fix="start Sidekiq without a shell around it: command: [bundle, exec, sidekiq, -C, config/sidekiq.yml] "
            "(from 1.17.1 on config/sidekiq/sidekiq.yml), or with `exec` in the script",
        )


@registry.check(
    phase=2,
    warnings={
        "started-before-its-file": "No file that a container mounts is newer than the process that read it."
    },
)
def reads_its_files_as_they_are(facts: Facts) -> Iterator[Finding]:
    """Each file of the host that API, worker or clock mounts was last written before the container started.

    Lago reads keys and configuration at its start only. An image that a tag has left is image-moved, variables that
    differ from the files are drift.
    """
    availability.brought_up(facts)
    for container in facts.of_role(API, WORKER, CLOCK):
        started = facts.started_at(container)
        for mount in container.service.mounts:
            source = facts.source(mount.source or "") if mount.kind == "bind" else None
            if (
                container.running
                and source
                and source.is_file
                and source.changed
                and source.changed > started + 1
            ):
                yield Finding(
                    id="started-before-its-file",
                    role=container.role,
                    service=container.service.name,
                    problem=f"{source.path} was written at {minute(source.changed)}, after {container.name} started at "
                    f"{minute(started)}",
                    impact="it works with the file as it was then; the next restart changes what it does",
                    fix=f"docker restart {container.name}, or deploy; if the change wasn't meant, take it back",
                )


def _signal(name: str) -> str:
    """A signal's name as Docker's configuration gives it (SIGTERM, TERM, 15), without SIG."""
    if name.isdecimal():
        return signal.Signals(int(name)).name.removeprefix("SIG")
    return name.upper().removeprefix("SIG") or "TERM"
