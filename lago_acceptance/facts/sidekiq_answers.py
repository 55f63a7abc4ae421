"""What scripts/sidekiq.lua answered. Whatever an answer lacks is None: not known."""

from __future__ import annotations

from typing import Any

import msgspec


class Capsule(msgspec.Struct, frozen=True):
    """A group of a Sidekiq process' threads, with the queues that they read."""

    weights: dict[str, Any] = {}


class SidekiqInfo(msgspec.Struct, frozen=True):
    """What a Sidekiq process says of itself. From Sidekiq 8.0.8 on its queues are listed by capsule.

    ``hostname`` is that of its container, ``started_at`` Unix time.
    """

    queues: tuple[str, ...] = ()
    capsules: dict[str, Capsule] = {}
    hostname: str = ""
    started_at: float | None = None

    @property
    def read(self) -> tuple[str, ...]:
        """The queues that the process reads."""
        return self.queues or tuple(name for each in self.capsules.values() for name in each.weights)


class BusyJob(msgspec.Struct, frozen=True):
    """A job that a process is at, and since when (as Sidekiq writes it; 0: not known)."""

    name: str = msgspec.field(default="?", name="class")
    queue: str = ""
    since: float = 0.0
    id: str = ""


class SidekiqProcess(msgspec.Struct, frozen=True):
    """A process that is registered with Sidekiq, and when it last gave a sign of life (Unix time; 0: not known).

    ``quiet``: it takes no new jobs.
    """

    info: SidekiqInfo = SidekiqInfo()
    beat: float = 0.0
    identity: str = ""
    quiet: bool = False
    work: tuple[BusyJob, ...] = ()


class SidekiqQueue(msgspec.Struct, frozen=True):
    """A queue: its jobs, and when its oldest one was enqueued and created (as Sidekiq counts: seconds or milliseconds;
    0: not known).
    """

    name: str = ""
    length: int = 0
    oldest: float = 0.0
    created: float = 0.0


class DeadJob(msgspec.Struct, frozen=True):
    """A job that Sidekiq has given up, and when (Unix time)."""

    name: str = msgspec.field(default="?", name="class")
    error: str = ""
    at: float = 0.0


class DueJob(msgspec.Struct, frozen=True):
    """A job that waits for its time (Unix time), with the error that it is retried for."""

    name: str = msgspec.field(default="?", name="class")
    error: str = ""
    due: float | None = None


class WaitingJobs(msgspec.Struct, frozen=True):
    """A set of jobs that wait for their time: how many, the first that is due, how many have been due for two minutes.

    ``failing`` is since when the oldest of the first hundred fails (Unix time).
    """

    count: int = 0
    first: DueJob | None = None
    overdue: int | None = None
    failing: float | None = None


class FillingJob(msgspec.Struct, frozen=True):
    """Jobs of one class that fill data in, and where they are: "queue NAME", "retry", "schedule" or "dead".

    ``error`` is the message of the first of them; ``at`` when it was enqueued, is due or died (as Sidekiq counts: seconds or
    milliseconds; 0: not known).
    """

    name: str = msgspec.field(default="?", name="class")
    place: str = ""
    count: int = 0
    error: str = ""
    at: float = 0.0


class RedisDatabase(msgspec.Struct, frozen=True):
    """One numbered database of Redis, as Sidekiq uses it. ``filling`` is read where an upgrade is asked about."""

    number: int | None = None
    processes: tuple[SidekiqProcess, ...] | None = None
    queues: tuple[SidekiqQueue, ...] | None = None
    dead: tuple[DeadJob, ...] | None = None
    processed: int | None = None
    failed: int | None = None
    retry: WaitingJobs | None = None
    schedule: WaitingJobs | None = None
    filling: tuple[FillingJob, ...] | None = None
