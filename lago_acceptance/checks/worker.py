"""Checks of the worker: it reads the queues that the API fills, and finishes jobs."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.facts.types import Facts

_OWN_QUEUES = {"SIDEKIQ_EVENTS": "events", "SIDEKIQ_PDFS": "pdfs"}


@registry.check(
    phase=2,
    errors={"worker-not-listening": "A worker listens to the Redis database that the API enqueues to."},
)
def listens_where_the_api_enqueues(facts: Facts) -> Iterator[Finding]:
    """A living worker reads the Redis database that the API's REDIS_URL names.

    A worker on another database looks healthy to every healthcheck, but nothing is billed.
    """
    jobs = availability.jobs(facts)
    if jobs.readers:
        return
    availability.running(facts, WORKER)
    databases = (facts.redis.databases if facts.redis else None) or ()
    others = [each.number for each in databases if each.processes and each.number != jobs.number]
    yield Finding(
        id="worker-not-listening",
        role=WORKER,
        problem=f"no worker is alive in Redis database {jobs.number}, which the API enqueues to"
        + (f"; one listens to database {others[0]}" if others else ""),
        impact="jobs pile up: no invoices, no webhooks, no usage, while every healthcheck is green",
        fix="give API, worker and clock the same REDIS_URL, and recreate them",
    )


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


@registry.check(
    phase=2,
    errors={
        "queue-stuck": "No job waits in a queue for longer than the limit in settings.toml.",
        "queue-without-reader": "A worker reads each queue that the environment switches on.",
    },
)
def queues_are_read(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Every queue with jobs in it has a reader and an oldest job younger than limits.queue_age; the queues of
    SIDEKIQ_EVENTS and SIDEKIQ_PDFS have a reader where these are set.
    """
    jobs = availability.worked_jobs(facts)
    for queue in jobs.queues:
        age = facts.host_clock - queue.oldest if queue.length and queue.oldest else 0
        if queue.length and queue.name not in jobs.read:
            problem = f"no worker reads the queue {queue.name}, and {queue.length} jobs are in it"
        elif age > settings.limits.queue_age:
            problem = f"the oldest of {queue.length} jobs in {queue.name} has been waiting for {age:.0f} s"
        else:
            continue
        yield Finding(
            id="queue-stuck",
            role=WORKER,
            problem=problem,
            impact="the work behind these jobs (usage, invoices, PDFs, webhooks) is not done",
            fix="start a worker that reads it (start.events.worker.sh, start.pdfs.worker.sh), or remove "
            "SIDEKIQ_EVENTS and SIDEKIQ_PDFS from the environment",
        )
    for container in facts.of_role(API, WORKER, CLOCK):
        for variable, name in _OWN_QUEUES.items():
            if container.service.value(variable) not in ("", "false") and name not in jobs.read:
                yield Finding(
                    id="queue-without-reader",
                    role=container.role,
                    service=container.service.name,
                    problem=f"{variable} sends jobs to the queue {name}, and no worker reads it",
                    impact="usage is not counted" if name == "events" else "invoices get no PDF",
                    fix=f"run ./scripts/start.{name}.worker.sh as a service too, or remove {variable}",
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


def _signal(name: str) -> str:
    """A signal's name as Docker's configuration gives it (SIGTERM, TERM, 15), without SIG."""
    if name.isdecimal():
        return signal.Signals(int(name)).name.removeprefix("SIG")
    return name.upper().removeprefix("SIG") or "TERM"
