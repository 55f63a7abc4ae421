"""Rules about Redis and the cache: addresses, passwords, eviction, persistence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, REDIS, WORKER
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    agreement,
    lago,
    named,
    part,
    reference,
    url_of,
    variable,
)


@rule(phase=2)
def redis_disagrees(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock use the same Redis database.

    With another host or database number the worker waits for jobs that the API enqueues elsewhere, while
    every healthcheck stays green.
    """
    first = reference(model)
    expected = url_of(first, "REDIS_URL") if first else None
    for service in lago(model):
        url = url_of(service, "REDIS_URL")
        if first is None or expected is None or url is None or service is first:
            continue
        if unknown(url.host) or unknown(expected.host):
            continue
        own = (url.host, url.port or 6379, url.database)
        if own != (expected.host, expected.port or 6379, expected.database):
            yield Violation(
                service=service,
                at=variable(service, "REDIS_URL"),
                problem=f"its Redis is {url.host}/{url.database}, but {first.name} uses "
                f"{expected.host}/{expected.database}",
                impact="one never sees the jobs of the other: nothing is billed, while everything looks "
                "healthy",
                fix="use one REDIS_URL for all of Lago's services (a YAML anchor)",
            )


@rule(phase=2)
def cache_disagrees(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock use the same cache."""
    for service, first, _, _ in agreement(model, "LAGO_REDIS_CACHE_URL"):
        if service.role in (WORKER, CLOCK):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                problem=f"its cache differs from that of {first.name}",
                impact="the worker can't expire what the API has cached: current usage stays stale until "
                "the period ends",
                fix="use one LAGO_REDIS_CACHE_URL for all of Lago's services (a YAML anchor)",
            )


@rule(phase=2, severity=Severity.WARNING, follows=("env-name-misspelled",))
def cache_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and worker share a cache in Redis (LAGO_REDIS_CACHE_URL) or memcached.

    Without it each container has a cache of its own, and the worker can't expire what the API has cached.
    """
    for service in model.of_role(API, WORKER):
        if not service.value("LAGO_REDIS_CACHE_URL") and not service.value("LAGO_MEMCACHE_SERVERS"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                problem="LAGO_REDIS_CACHE_URL is not set",
                impact="each container has its own cache: current usage stays stale until the period ends",
                fix="set LAGO_REDIS_CACHE_URL: redis://lago-redis:6379/1 on API, worker and clock",
            )


@rule(phase=2)
def redis_evicts(model: Model, settings: Settings) -> Iterator[Violation]:
    """Redis, which holds Lago's jobs, evicts nothing."""
    for service in model.of_role(REDIS):
        found = re.search(r"maxmemory-policy[\s\"',]+((?:allkeys|volatile)-\w+)", service.full_command)
        if found:
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem=f"Redis evicts keys when its memory is full ({found[1]})",
                impact="jobs are dropped silently: their invoices are never created",
                fix="set --maxmemory-policy noeviction",
            )


@rule(phase=2, severity=Severity.WARNING)
def redis_not_persistent(model: Model, settings: Settings) -> Iterator[Violation]:
    """Redis' data, which holds Lago's jobs, is on a named volume."""
    for service in model.of_role(REDIS):
        mount = service.mount_at("/data") or service.mount_at("/bitnami/redis/data")
        if (mount is None or not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source)) and lago(model):
            yield Violation(
                service=service,
                at=part(service),
                problem="/data of Redis is not on a named volume",
                impact="jobs that are waiting when the container is recreated are lost",
                fix="mount a named volume at /data",
            )


def _required_password(redis: Service) -> str | None:
    """The password that Redis requires, "" if it requires none, None if that can't be known from here."""
    found = re.search(r"--requirepass[\s=]+([^\s\"']+)", redis.full_command)
    wanted = found[1] if found else redis.value("REDIS_PASSWORD") if "bitnami" in redis.image else ""
    # A configuration file may require one.
    by_file = not found and re.search(r"\S\.conf\b|--aclfile", redis.full_command)
    return None if by_file or unknown(wanted) or "$" in wanted else wanted


@rule(phase=2)
def redis_password_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """REDIS_URL has the password that Redis requires."""
    for redis in model.of_role(REDIS):
        wanted = _required_password(redis)
        if wanted is None:
            continue
        for service in lago(model):
            url = url_of(service, "REDIS_URL")
            if url is None or redis not in named(model, url.host):
                continue
            given = url.password or service.value("REDIS_PASSWORD")
            one_masked = bool(given and wanted) and is_masked(given) != is_masked(wanted)
            if given != wanted and not one_masked and not unknown(given) and not url.raw_password:
                yield Violation(
                    service=service,
                    at=variable(service, "REDIS_URL"),
                    problem="Redis requires a password that REDIS_URL doesn't have"
                    if wanted
                    else "REDIS_URL has a password, but Redis requires none",
                    impact="NOAUTH or WRONGPASS: the worker exits, and calls that enqueue a job answer 500",
                    fix="set both from one variable",
                )
