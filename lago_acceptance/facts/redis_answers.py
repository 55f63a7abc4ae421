"""What Redis answered to the questions of scripts/collect.sh. Whatever an answer lacks is None: not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.answers import decode
from lago_acceptance.facts.untrusted import decoded, whole_number

# The answers by name: those of the commands INFO, CLIENT LIST and CONFIG GET, of a write that changes nothing, of a
# script that isn't there, of PING without a password, and of scripts/sidekiq.lua.
INFO, CLIENTS, SETTINGS, WRITE, SCRIPT, ANONYMOUS, SIDEKIQ = (
    "info",
    "clients",
    "settings",
    "write",
    "script",
    "anonymous",
    "sidekiq",
)
_ASKED = ("save", "appendonly", "stop-writes-on-bgsave-error", "protected-mode")
_MARK = re.compile(r"^@reply (\w+)$", re.MULTILINE)
# Redis' errors begin with their kind in capitals.
_ERROR = re.compile(r"([A-Z]{3,}) \S|Could not connect|Error: ")
_REFUSED = re.compile(
    r"NOAUTH|WRONGPASS|AUTH failed|Could not connect|invalid password|^Error: ", re.MULTILINE
)
_FULL = "ERR max number of clients"
# redis-cli minds a password that isn't needed; Lago's client doesn't.
_SUPERFLUOUS = re.compile(r"^AUTH failed: ERR AUTH <password> called without.*\n", re.MULTILINE)


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


class RedisDatabase(msgspec.Struct, frozen=True):
    """One numbered database of Redis, as Sidekiq uses it."""

    number: int | None = None
    processes: tuple[SidekiqProcess, ...] | None = None
    queues: tuple[SidekiqQueue, ...] | None = None
    dead: tuple[DeadJob, ...] | None = None
    processed: int | None = None
    failed: int | None = None
    retry: WaitingJobs | None = None
    schedule: WaitingJobs | None = None


class RedisClient(msgspec.Struct, frozen=True, kw_only=True):
    """A connection of Redis: the client's address without its port ("" for a socket), the name that it gives itself,
    its library, its database, its last command, and how many seconds ago it connected.
    """

    address: str
    name: str = ""
    library: str = ""
    database: int | None = None
    command: str = ""
    age: int | None = None


class RedisAnswers(msgspec.Struct, frozen=True):
    """What Redis answered. ``info`` holds the fields of INFO, ``settings`` those of CONFIG GET, ``errors`` what was said
    instead of an answer, by the names of the answers above.

    ``policy`` is maxmemory-policy, ``run_id`` the server's own word for this run of it, ``container`` the id of the
    container that was asked. ``anonymous``: it answers to whom gives no password.
    """

    version: str | None = None
    policy: str | None = None
    databases: tuple[RedisDatabase, ...] | None = None
    run_id: str | None = None
    info: dict[str, str] = {}
    settings: dict[str, str] = {}
    clients: tuple[RedisClient, ...] | None = None
    errors: dict[str, str] = {}
    container: str = ""
    anonymous: bool = False

    def number(self, field: str) -> int | None:
        """A number of INFO, None where it isn't known."""
        return whole_number(self.info.get(field, ""))


def redis(named: dict[str, str], of_jobs: str = "") -> tuple[RedisAnswers | None, str]:
    """The answers of the container ``of_jobs``, else of the first Redis that gave any (all by container id), or the text
    that came instead. A cache may be another Redis.
    """
    named = {of_jobs: named[of_jobs]} if of_jobs in named else named
    for container, text in named.items():
        parts = _parts(text)
        if full := next((said for said in parts.values() if _FULL in said), ""):
            return _answers(container, {INFO: full[full.index(_FULL) :].splitlines()[0]}), ""
        if parts and not _REFUSED.search(parts.get(INFO, "")[:1000]):
            return _answers(container, parts), ""
    said = next(iter(named.values()), "")
    lines = [line for line in (_parts(said).get(INFO) or said).splitlines() if line.strip()]
    return None, redact(" ".join(dict.fromkeys(line.strip() for line in lines[:4])))[:300]


def _parts(text: str) -> dict[str, str]:
    """The answers by their names, without the line feed that ends each."""
    pieces = _MARK.split(text)[1:]
    return {
        name: _SUPERFLUOUS.sub("", said).strip("\r\n")
        for name, said in zip(pieces[::2], pieces[1::2], strict=True)
    }


def _answers(container: str, parts: dict[str, str]) -> RedisAnswers:
    info = dict(_fields(parts.get(INFO, "")))
    raw = decoded(parts.get(SIDEKIQ, ""))
    errors = {
        name: redact(said.strip())[:300]
        for name, said in parts.items()
        if (_ERROR.match(said) and not said.startswith("NOSCRIPT "))
        or (name == SIDEKIQ and not isinstance(raw, dict))
    }
    databases = decode(RedisAnswers, raw).databases
    return RedisAnswers(
        version=info.get("redis_version"),
        policy=info.get("maxmemory_policy"),
        databases=databases,
        run_id=info.get("run_id"),
        info=info,
        settings=dict(_settings(parts.get(SETTINGS, "").splitlines())),
        clients=None if CLIENTS in errors else _clients(parts.get(CLIENTS, "")),
        errors=errors,
        container=container,
        anonymous=parts.get(ANONYMOUS) == "PONG",
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        if colon and re.fullmatch(r"[a-z0-9_]{1,60}", name):
            yield name, value[:200]


def _settings(lines: list[str]) -> Iterator[tuple[str, str]]:
    """CONFIG GET prints a name and below it its value, which may be empty."""
    for at, line in enumerate(lines):
        if line in _ASKED:
            yield line, lines[at + 1].strip()[:200] if at + 1 < len(lines) else ""


def _clients(text: str) -> tuple[RedisClient, ...] | None:
    found = tuple(_client(line) for line in text.splitlines() if line.startswith("id="))
    return found or None


def _client(line: str) -> RedisClient:
    said = dict(word.partition("=")[::2] for word in line[:1000].split(" "))
    address = said.get("addr", "").rpartition(":")[0].strip("[]")
    return RedisClient(
        address="" if address.startswith("/") else address,
        name=said.get("name", "")[:60],
        library=said.get("lib-name", "")[:60],
        database=whole_number(said.get("db", "")),
        command=said.get("cmd", "")[:40],
        age=whole_number(said.get("age", "")),
    )
