"""Rules about Redis and the cache: who uses which, passwords, eviction, persistence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
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
    """API, worker and clock use one Redis database.

    With another number or host the worker waits for jobs that the API puts elsewhere; all healthchecks stay
    green.
    """
    first = reference(model)
    expected = url_of(first, "REDIS_URL") if first else None
    for service in lago(model):
        url = url_of(service, "REDIS_URL")
        if expected is None or url is None or service is first or unknown(url.host) or unknown(expected.host):
            continue
        own, its = (
            (url.host, url.port or 6379, url.database),
            (expected.host, expected.port or 6379, expected.database),
        )
        if own != its:
            yield Violation(
                service=service,
                at=variable(service, "REDIS_URL"),
                problem=f"its Redis is {url.host}/{url.database}, that of {first.name} is "
                f"{expected.host}/{expected.database}",
                impact="jobs of one are never seen by the other: nothing is billed, while everything "
                "is healthy",
                fix="one REDIS_URL for all, by an anchor",
            )


@rule(phase=2)
def cache_disagrees(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock use one cache."""
    for service, first, _, _ in agreement(model, "LAGO_REDIS_CACHE_URL"):
        if service.role in (WORKER, CLOCK):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                problem=f"its cache is another one than that of {first.name}",
                impact="the worker can't expire what the API has cached: current usage stands still "
                "until the period ends",
                fix="one LAGO_REDIS_CACHE_URL for all, by an anchor",
            )


@rule(phase=2, severity=Severity.WARNING)
def cache_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and worker share a cache in Redis (LAGO_REDIS_CACHE_URL) or memcached.

    Without one each caches in its own container, and the worker can't expire what the API has cached.
    """
    for service in model.of_role(API, WORKER):
        if not service.value("LAGO_REDIS_CACHE_URL") and not service.value("LAGO_MEMCACHE_SERVERS"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                problem="LAGO_REDIS_CACHE_URL is not set",
                impact="each container caches for itself: current usage stands still until the period ends",
                fix="LAGO_REDIS_CACHE_URL: redis://lago-redis:6379/1 on API, worker and clock",
            )


@rule(phase=2)
def redis_evicts(model: Model, settings: Settings) -> Iterator[Violation]:
    """The Redis that holds the jobs evicts nothing."""
    for service in model.of_role(REDIS):
        found = re.search(r"maxmemory-policy[\s\"',]+((?:allkeys|volatile)-\w+)", service.full_command)
        if found:
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem=f"Redis evicts when its memory is full ({found[1]})",
                impact="jobs are thrown away unseen: invoices that are never made",
                fix="--maxmemory-policy noeviction",
            )


@rule(phase=2, severity=Severity.WARNING)
def redis_not_persistent(model: Model, settings: Settings) -> Iterator[Violation]:
    """Redis' data are on a volume, for jobs live there."""
    for service in model.of_role(REDIS):
        mount = service.mount_at("/data") or service.mount_at("/bitnami/redis/data")
        if (mount is None or not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source)) and lago(model):
            yield Violation(
                service=service,
                at=part(service),
                problem="Redis' folder /data is on no named volume",
                impact="jobs that wait when the container is made anew are lost",
                fix="mount a named volume at /data",
            )


def _required_password(redis: Service) -> str | None:
    """The password that Redis asks for, "" where it asks for none, None where that can't be known from here."""
    found = re.search(r"--requirepass[\s=]+([^\s\"']+)", redis.full_command)
    wanted = found[1] if found else redis.value("REDIS_PASSWORD") if "bitnami" in redis.image else ""
    # A configuration file may ask for one.
    by_file = not found and re.search(r"\S\.conf\b|--aclfile", redis.full_command)
    return None if by_file or unknown(wanted) or "$" in wanted else wanted


@rule(phase=2)
def redis_password_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago gives Redis the password that Redis asks for."""
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
                    problem="Redis asks for a password that REDIS_URL doesn't give"
                    if wanted
                    else "REDIS_URL gives a password that Redis doesn't have",
                    impact="NOAUTH or WRONGPASS: the worker exits, and calls that enqueue a job answer 500",
                    fix="write both from one variable",
                )
