"""Check that the living workers read the queues that this Lago fills, and in time."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import since
from lago_acceptance.core.roles import API, CLOCK, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.facts.sidekiq import Queue, Sidekiq
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.lago.releases import Release, release_of
from lago_acceptance.lago.switches import FALSE
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.lago.workers import WorkerKind, workers_of

# What isn't done while nobody reads a queue.
_MISSING = {
    "billing": "no invoices",
    "billing_low_priority": "no invoices",
    "clock": "nothing recurring is billed",
    "clock_worker": "nothing recurring is billed",
    "events": "usage is not counted",
    "invoices": "no invoice is finalized",
    "mailers": "no e-mails",
    "payments": "no payments",
    "pdfs": "invoices get no PDF",
    "providers": "no payments",
    "wallets": "wallets aren't topped up",
    "webhook": "no webhooks",
    "webhook_worker": "no webhooks",
}


@registry.check(
    phase=2,
    errors={
        "queue-stuck": "No job waits in a queue for longer than the limit in settings.toml.",
        "queue-without-reader": "A worker reads each queue that the environment switches on.",
    },
)
def are_read_in_time(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """A living worker reads every queue of this version's main worker (worker-leaves-queues) and those of SIDEKIQ_EVENTS
    and the like where these are set; no job waits longer than limits.queue_age.

    What the processes say is compared, whether jobs wait or not. Of a version that isn't known, only queues with jobs
    in them must have a reader.
    """
    jobs = availability.worked_jobs(facts)
    release = _release(facts, settings)
    kinds = workers_of(release) if release else {}
    left = [name for name in kinds[""].queues if name not in jobs.read] if kinds else []
    if left:
        yield _left(facts, jobs, left, kinds[""])
    switched = {name: kind for kind in workers_of(release).values() if kind.switch for name in kind.queues}
    unread = dict(_switched_on(facts, jobs, switched))
    for name, (container, kind) in unread.items():
        yield Finding(
            id="queue-without-reader",
            role=container.role,
            service=container.service.name,
            problem=f"{kind.switch} sends jobs to the queue {name}, and no worker reads it{_waiting(jobs, [name], facts)}",
            impact=_MISSING.get(name, "their work is not done"),
            fix=f"run ./scripts/{kind.script} as a service too, or remove {kind.switch} and recreate the containers",
        )
    for queue in jobs.queues:
        if queue.name not in left and queue.name not in unread:
            yield from _stuck(facts, settings, jobs, queue)


def _stuck(facts: Facts, settings: Settings, jobs: Sidekiq, queue: Queue) -> Iterator[Finding]:
    """The finding of a queue whose jobs wait for no reader, or for too long."""
    age = facts.host_clock - queue.oldest if queue.length and queue.oldest else 0
    read = queue.name in jobs.read
    if not queue.length or (read and age <= settings.limits.queue_age):
        return
    oldest = f"the oldest has been waiting {since(queue.oldest, facts.host_clock)}" if queue.oldest else ""
    worker = facts.running(WORKER)
    yield Finding(
        id="queue-stuck",
        role=WORKER,
        problem=f"{queue.length} jobs are in the queue {queue.name}"
        + (f", and {oldest}" if read else ", and no worker reads it" + (f"; {oldest}" if oldest else "")),
        impact="the work behind these jobs (usage, invoices, PDFs, webhooks) is not done",
        fix=f"see what keeps the worker busy: `docker logs --tail 50 {worker.name if worker else 'lago-worker'}`, and raise "
        "SIDEKIQ_CONCURRENCY, or run a second worker"
        if read
        else "start a worker that reads it (sidekiq -q, or one of ./scripts/start.*.worker.sh), or find out who enqueues there",
    )


def _left(facts: Facts, jobs: Sidekiq, left: list[str], main: WorkerKind) -> Finding:
    worker = facts.running(WORKER)
    shown = ", ".join(left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
    read = ", ".join(sorted(jobs.read)[:4]) or "none"
    return Finding(
        id="worker-leaves-queues",
        role=WORKER,
        service=worker.service.name if worker else None,
        problem=f"no worker reads the queue{'s' if len(left) > 1 else ''} {shown}; those that run read {read}"
        + _waiting(jobs, left, facts),
        impact="jobs pile up there and never run: "
        + "; ".join(_MISSING[name] for name in left if name in _MISSING)[:200],
        fix=f"run ./scripts/{main.script}, or sidekiq -C {main.config} without -q, and recreate "
        f"{worker.name if worker else 'the worker'}",
    )


def _waiting(jobs: Sidekiq, names: list[str], facts: Facts) -> str:
    """What waits in queues that nobody reads already."""
    queues = [each for each in jobs.queues if each.name in names and each.length]
    known = [each.oldest for each in queues if each.oldest]
    if not queues:
        return ""
    oldest = f", the oldest {since(min(known), facts.host_clock)}" if known else ""
    return f"; {sum(each.length for each in queues)} jobs wait there{oldest}"


def _switched_on(
    facts: Facts, jobs: Sidekiq, switched: dict[str, WorkerKind]
) -> Iterator[tuple[str, tuple[Container, WorkerKind]]]:
    """The queues that a variable fills and that nobody reads, with the first container that has it."""
    for name, kind in switched.items():
        for container in facts.of_role(API, WORKER, CLOCK):
            value = container.service.value(kind.switch)
            if value not in FALSE and name not in jobs.read:
                yield name, (container, kind)
                break


def _release(facts: Facts, settings: Settings) -> Release | None:
    """The release whose queues are known: of Lago's own image."""
    found = next((each.service for each in facts.of_role(API, WORKER) if stock_image(each.service)), None)
    return release_of(found, settings) if found else None
