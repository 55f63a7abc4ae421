"""Rules about memory limits."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.store_settings import (
    postgres_bytes,
    postgres_settings,
    redis_bytes,
    redis_settings,
)
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part
from lago_acceptance.rules.helpers.data_stores import stores

MIB = 2**20
STORES = (DB, REDIS)
# More of the limit than that leaves too little for connections, buffers and the copy that is saved.
_SHARE = 0.9
# Below this part of its needs, a program doesn't even start.
_HOPELESS = 0.25
_KILLED = "the kernel kills it at boot or under load (exit 137): "
# By role: the least that it runs with, what to set, and what happens below.
_NEEDS = {
    API: (1024, "1536m", f"{_KILLED}calls and logins answer 502"),
    WORKER: (512, "1g", f"{_KILLED}jobs in flight are lost, and invoices are late or missing"),
    CLOCK: (512, "1g", f"{_KILLED}nothing is billed while it restarts"),
    MIGRATE: (512, "1g", f"{_KILLED}the migration stops halfway"),
    PDF: (512, "1g", "the kernel kills Chromium while it renders: invoices get no PDF"),
    DB: (
        256,
        "1g",
        "the kernel kills a process of PostgreSQL, which then drops every connection and recovers",
    ),
    REDIS: (64, "512m", "the kernel kills Redis when jobs pile up: those that it hasn't saved are lost"),
    FRONT: (32, "128m", "the kernel kills nginx: the UI is gone until it is up again"),
}


@rule(phase=2, severity=Severity.WARNING, follows=("store-memory-above-limit",))
def memory_limit_low(model: Model, settings: Settings) -> Iterator[Violation]:
    """Memory limits leave room for what runs there.

    At least 1 GiB for the API, 512 MiB for the worker, the clock, the migration and the PDF service (Chromium), 256 MiB
    for PostgreSQL, 64 MiB for Redis and 32 MiB for the front.
    """
    others = [
        (service, service.role or "") for service in model.of_role(*_NEEDS) if service.role not in STORES
    ]
    for service, role in (*others, *stores(model)):
        least, enough, impact = _NEEDS[role]
        if service.memory and service.memory < least * MIB:
            yield Violation(
                service=service,
                at=part(service),
                severity=Severity.ERROR if service.memory < least * MIB * _HOPELESS else None,
                problem=f"its memory limit is {service.memory // MIB} MiB, and it needs at least {least} MiB",
                impact=impact,
                fix=f"raise it: mem_limit: {enough}",
            )


@rule(phase=2)
def store_memory_above_limit(model: Model, settings: Settings) -> Iterator[Violation]:
    """PostgreSQL's shared_buffers and Redis' maxmemory leave a tenth of the container's memory limit free, or more.

    Both are only part of what the process takes: PostgreSQL needs memory for each connection, Redis for its buffers and
    for the copy that saves the data.
    """
    for service, role in stores(model):
        if role == DB:
            name, text = "shared_buffers", postgres_settings(service, model).get("shared_buffers")
            size, impact = postgres_bytes(text), _NEEDS[DB][2]
        else:
            name, text = "maxmemory", redis_settings(service, model).get("maxmemory")
            size = redis_bytes(text)
            impact = "the kernel kills Redis before maxmemory is reached: jobs that it hasn't saved are lost"
        if size and service.memory and size > _SHARE * service.memory:
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem=f"{name} is {text}, and the container's memory limit is {service.memory // MIB} MiB",
                impact=impact,
                fix=f"set {name} to at most {service.memory // MIB // (4 if role == DB else 2)}"
                f"{'MB' if role == DB else 'mb'}, or raise the limit",
            )
