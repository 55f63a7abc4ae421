"""The numbers in the facts of a host."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.measurements import Measurement
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.types import Facts

HOUR = 3600


def of_facts(facts: Facts) -> Iterator[Measurement]:
    """Every number that was read on the host; what was not read is left out."""
    yield Measurement("clock_drift", facts.clock_drift)
    yield Measurement("containers", len(facts.containers))
    for container in facts.containers:
        yield Measurement("restarts", container.restarts, container.name)
        if container.id in facts.log_sizes:
            yield Measurement("log_size", facts.log_sizes[container.id], container.name)
    for disk in facts.disks:
        yield Measurement("disk_free", disk.free_mib, disk.mount)
    if facts.dumps:
        newest = max(facts.dumps, key=lambda dump: dump.written)
        yield Measurement("dump_age", round((facts.host_clock - newest.written) / HOUR, 2), newest.path)
        yield Measurement("dump_size", newest.size, newest.path)
    yield from _of_jobs(facts)
    if facts.database is None:
        return
    if facts.database.migrations and facts.database.migrations.count is not None:
        yield Measurement("migrations", facts.database.migrations.count)
    for name, sign in facts.database.signs.items():
        if sign.count is not None:
            yield Measurement("billing_sign", sign.count, name)


def _of_jobs(facts: Facts) -> Iterator[Measurement]:
    jobs = sidekiq.as_enqueued_to(facts)
    if jobs is None:
        return
    for queue in jobs.queues:
        yield Measurement("queue_jobs", queue.length, queue.name)
        age = max(0.0, facts.host_clock - queue.oldest) if queue.length and queue.oldest else 0.0
        yield Measurement("queue_age", round(age, 1), queue.name)
    yield Measurement("dead_jobs", len(jobs.dead))
    yield Measurement("processed_jobs", jobs.processed)
    yield Measurement("failed_jobs", jobs.failed)
