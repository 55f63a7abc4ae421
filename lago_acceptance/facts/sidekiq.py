"""Sidekiq in Redis: who works, what waits, what died (docs/lago-facts.md, sections 1.6, 5 and 8)."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.roles import API, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.facts.answers import DeadJob, RedisDatabase
from lago_acceptance.facts.types import Facts
from lago_acceptance.facts.untrusted import whole_number

# Seconds after which Sidekiq itself takes a silent process for gone.
SILENCE = 60
# A fresh installation has four dead jobs of this class: tasks that old migrations enqueue and that are gone.
FRESH_DEAD, FRESH_DEAD_COUNT = "MigrationTaskJob", 4


class Queue(msgspec.Struct, frozen=True):
    """A queue: its jobs, and since when (Unix time) its oldest one waits."""

    name: str
    length: int
    oldest: float


class Sidekiq(msgspec.Struct, frozen=True):
    """One Redis database as Sidekiq uses it. ``readers`` are the queues of each living process, ``dead`` leaves out the
    four jobs of a fresh installation.
    """

    number: int
    readers: tuple[tuple[str, ...], ...]
    queues: tuple[Queue, ...]
    dead: tuple[DeadJob, ...]
    processed: int
    failed: int

    @property
    def read(self) -> frozenset[str]:
        """The queues that a living process reads."""
        return frozenset(name for names in self.readers for name in names)


def database_of(url: str) -> int:
    """The number of the database that a Redis URL names."""
    found = service_url(url)
    return (whole_number(found.database) if found else None) or 0


def number_enqueued_to(facts: Facts) -> int:
    """The number of the Redis database that the API enqueues to (else the worker's)."""
    service = next(iter((*facts.of_role(API), *facts.of_role(WORKER))), None)
    return database_of(service.service.value("REDIS_URL")) if service else 0


def as_enqueued_to(facts: Facts) -> Sidekiq | None:
    """The database that the API enqueues to; None where Redis did not say all of what Sidekiq keeps in it."""
    if facts.redis is None or facts.redis.databases is None:
        return None
    number = number_enqueued_to(facts)
    # One that holds nothing is not listed.
    empty = RedisDatabase(number, (), (), (), 0, 0)
    return _sidekiq(next((each for each in facts.redis.databases if each.number == number), empty), facts)


def _sidekiq(raw: RedisDatabase, facts: Facts) -> Sidekiq | None:
    if (
        raw.number is None
        or raw.processes is None
        or raw.queues is None
        or raw.dead is None
        or raw.processed is None
        or raw.failed is None
    ):
        return None
    alive = (each for each in raw.processes if not each.beat or facts.host_clock - each.beat < SILENCE)
    fresh = [job for job in raw.dead if job.name == FRESH_DEAD][:FRESH_DEAD_COUNT]
    return Sidekiq(
        raw.number,
        tuple(each.info.read for each in alive),
        tuple(Queue(each.name, each.length, _seconds(each.oldest)) for each in raw.queues),
        tuple(job for job in raw.dead if job not in fresh),
        raw.processed,
        raw.failed,
    )


def _seconds(at: float) -> float:
    """Sidekiq 8 counts milliseconds, those before it seconds."""
    return at / 1000 if at > 1e11 else at
