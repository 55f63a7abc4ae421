"""What Redis tells of Sidekiq: who works, what waits, what died
(docs/lago-facts.md, sections 1.6, 5 and 8).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from lago_acceptance.core.roles import API, WORKER
from lago_acceptance.facts.types import Facts

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
    """One Redis database as Sidekiq uses it. ``dead`` leaves out the four of a fresh installation."""

    number: int
    readers: tuple[tuple[str, ...], ...]
    queues: tuple[Queue, ...]
    dead: tuple[dict[str, Any], ...]
    processed: int
    failed: int

    @property
    def read(self) -> frozenset[str]:
        """The queues that a living process reads."""
        return frozenset(name for names in self.readers for name in names)


def database_of(url: str) -> int:
    """The number of the database that a Redis URL names."""
    path = urlsplit(url).path.strip("/") if url else ""
    return int(path) if path.isdigit() else 0


def as_enqueued_to(facts: Facts) -> Sidekiq | None:
    """The database that the API enqueues to (else the worker's); None where Redis could not be read."""
    if facts.redis is None:
        return None
    service = next(iter((*facts.of_role(API), *facts.of_role(WORKER))), None)
    number = database_of(service.service.value("REDIS_URL")) if service else 0
    raw = next((each for each in facts.redis["databases"] if each["number"] == number), None)
    return _sidekiq(number, raw or {}, facts.host_clock)


def _sidekiq(number: int, raw: dict[str, Any], now: float) -> Sidekiq:
    alive = (
        process
        for process in _list(raw, "processes")
        if not process["beat"] or now - process["beat"] < SILENCE
    )
    dead = _list(raw, "dead")
    fresh = [job for job in dead if job["class"] == FRESH_DEAD][:FRESH_DEAD_COUNT]
    return Sidekiq(
        number,
        tuple(_queues(process["info"]) for process in alive),
        tuple(
            Queue(queue["name"], queue["length"], _seconds(queue["oldest"] or 0))
            for queue in _list(raw, "queues")
        ),
        tuple(job for job in dead if job not in fresh),
        raw.get("processed", 0),
        raw.get("failed", 0),
    )


def _queues(process: dict[str, Any]) -> tuple[str, ...]:
    """The queues that a process reads. From Sidekiq 8.0.8 on they are told by capsule."""
    capsules = (process.get("capsules") or {}).values()
    return tuple(process.get("queues") or (name for each in capsules for name in each.get("weights") or ()))


def _seconds(at: float) -> float:
    """Sidekiq 8 counts milliseconds, those before it seconds."""
    return at / 1000 if at > 1e11 else at


def _list(raw: dict[str, Any], name: str) -> list:
    """Lua writes an empty list as an empty object."""
    return raw.get(name) or []
