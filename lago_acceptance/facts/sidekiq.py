"""Sidekiq in Redis: who works, what waits, what died (docs/lago-facts.md, sections 1.6, 5 and 8)."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.roles import API, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.facts.sidekiq_answers import (
    BusyJob,
    DeadJob,
    FillingJob,
    RedisDatabase,
    SidekiqProcess,
    WaitingJobs,
)
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.facts.untrusted import whole_number

# Seconds after which Sidekiq itself takes a silent process for gone.
SILENCE = 60
# A fresh installation has four dead jobs of this class: tasks that old migrations enqueue and that are gone.
FRESH_DEAD, FRESH_DEAD_COUNT = "MigrationTaskJob", 4
# No Sidekiq is older than this (2012, Unix time), and no host's clock is further ahead than that (seconds).
_FIRST, _AHEAD = 1.3e9, 60


class Queue(msgspec.Struct, frozen=True):
    """A queue: its jobs, and since when (Unix time; 0: not known) its oldest one waits."""

    name: str
    length: int
    oldest: float


class Process(msgspec.Struct, frozen=True):
    """A living process of Sidekiq: the host name that it gives, the queues that it reads, and what it is at.

    ``quiet``: it takes no new jobs. ``beat`` is when it last gave a sign of life (Unix time; 0: not known).
    """

    identity: str
    hostname: str
    queues: tuple[str, ...]
    quiet: bool
    work: tuple[BusyJob, ...]
    beat: float


class Sidekiq(msgspec.Struct, frozen=True):
    """One Redis database as Sidekiq uses it. ``processes`` are the living ones, ``dead`` leaves out the four jobs of a
    fresh installation. ``retry`` and ``schedule`` are None where they are not known. ``filling`` are the jobs that fill data
    in for an upgrade, None where nothing asked for them.
    """

    number: int
    processes: tuple[Process, ...]
    queues: tuple[Queue, ...]
    dead: tuple[DeadJob, ...]
    processed: int
    failed: int
    retry: WaitingJobs | None = None
    schedule: WaitingJobs | None = None
    filling: tuple[FillingJob, ...] | None = None

    @property
    def readers(self) -> tuple[tuple[str, ...], ...]:
        """The queues of each living process that takes jobs."""
        return tuple(each.queues for each in self.processes if not each.quiet)

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


def container_of(facts: Facts, hostname: str) -> Container | None:
    """The container of this host whose host name that is, the deployment's first: its own, or the first twelve digits of
    its id.
    """
    everything = (*facts.containers, *facts.others)
    named = (each for each in everything if hostname and hostname in (each.hostname, each.id[:12]))
    return next(named, None)


def moment(value: float, now: float) -> float | None:
    """A time that Sidekiq wrote as Unix time; None where it is nonsense. Version 8 counts milliseconds."""
    for scale in (1, 1e3, 1e6):
        if _FIRST <= value / scale <= now + _AHEAD:
            return min(value / scale, now)
    return None


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
    now = facts.host_clock
    processes = ((each, _process(each)) for each in raw.processes)
    alive = [own for each, own in processes if _lives(facts, each, own)]
    fresh = [job for job in raw.dead if job.name == FRESH_DEAD][:FRESH_DEAD_COUNT]
    return Sidekiq(
        raw.number,
        tuple(alive),
        tuple(
            Queue(each.name, each.length, moment(each.oldest, now) or moment(each.created, now) or 0.0)
            for each in raw.queues
        ),
        tuple(job for job in raw.dead if job not in fresh),
        raw.processed,
        raw.failed,
        raw.retry,
        raw.schedule,
        raw.filling,
    )


def _process(raw: SidekiqProcess) -> Process:
    hostname = raw.info.hostname or raw.identity.partition(":")[0]
    return Process(raw.identity, hostname, raw.info.read, raw.quiet, raw.work, raw.beat)


def _lives(facts: Facts, raw: SidekiqProcess, process: Process) -> bool:
    """Whether a process lives: it gave a sign of life within a minute, and its container has run on since then. One that
    was killed stays registered for that minute.
    """
    if raw.beat and facts.host_clock - raw.beat >= SILENCE:
        return False
    found = container_of(facts, process.hostname)
    return not found or (found.running and not 0 < raw.beat < facts.started_at(found))
