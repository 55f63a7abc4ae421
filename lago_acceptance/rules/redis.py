"""Rules about Redis and the cache: addresses, passwords, eviction."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, REDIS, WORKER
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.ports import listens_on
from lago_acceptance.lago.store_settings import redis_settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import agreement, lago, part, reference, variable
from lago_acceptance.rules.helpers.data_stores import holds_jobs, services_of, stores
from lago_acceptance.rules.helpers.hosts import named, service_at, url_of


@rule(phase=2, follows=("two-deployments",), follows_at=("host-unknown", "localhost-in-container"))
def redis_disagrees(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock use the same Redis database.

    With another host or database number the worker waits for jobs that the API enqueues elsewhere, while
    every healthcheck stays green.
    """
    for service in lago(model):
        first = reference(model, service)
        expected = url_of(first, "REDIS_URL") if first else None
        url = url_of(service, "REDIS_URL")
        if first is None or expected is None or url is None or service is first:
            continue
        if unknown(url.host) or unknown(expected.host):
            continue
        # A port on which its Redis doesn't listen is url-wrong-port.
        judged = any(listens_on(each, model) for each in named(model, url.host))
        ports = (0, 0) if judged else (url.port or 6379, expected.port or 6379)
        own = (service_at(model, url.host), ports[0], url.database)
        if own != (service_at(model, expected.host), ports[1], expected.database):
            yield Violation(
                service=service,
                at=variable(service, "REDIS_URL"),
                problem=f"its Redis is {url.host}/{url.database}, but {first.name} uses "
                f"{expected.host}/{expected.database}",
                impact="one never sees the jobs of the other: nothing is billed, while everything looks "
                "healthy",
                fix="use one REDIS_URL for all of Lago's services (a YAML anchor)",
            )


@rule(phase=2, follows=("two-deployments",), follows_at=("host-unknown", "localhost-in-container"))
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


@rule(
    phase=2,
    severity=Severity.WARNING,
    follows_variable=(
        "worker-env-incomplete",
        "env-name-misspelled",
    ),
    follows_at=("env-file-not-used-for-interpolation",),
)
def cache_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and worker share a cache in Redis (LAGO_REDIS_CACHE_URL) or memcached.

    Without it each container has a cache of its own, and the worker can't expire what the API has cached.
    """
    for service in model.of_role(API, WORKER):
        if not any(
            map(
                service.value, ("LAGO_REDIS_CACHE_URL", "LAGO_REDIS_CACHE_SENTINELS", "LAGO_MEMCACHE_SERVERS")
            )
        ):
            jobs = url_of(service, "REDIS_URL")
            host = jobs.host if jobs and not unknown(jobs.host) else "redis"
            yield Violation(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                problem="LAGO_REDIS_CACHE_URL is not set",
                impact="each container has its own cache: current usage stays stale until the period ends",
                fix=f"set LAGO_REDIS_CACHE_URL: redis://{host}:{(jobs and jobs.port) or 6379}/1 on API, worker and clock",
            )


@rule(phase=2)
def redis_evicts(model: Model, settings: Settings) -> Iterator[Violation]:
    """Redis, which holds Lago's jobs, evicts nothing. One that is only Lago's cache may."""
    for service, role in stores(model):
        if role != REDIS or not holds_jobs(model, service):
            continue
        policy = redis_settings(service, model).get("maxmemory-policy")
        if re.fullmatch(r"(allkeys|volatile)-\w+", policy.lower()):
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem=f"Redis evicts keys when its memory is full ({policy})",
                impact="jobs are dropped silently: their invoices are never created",
                fix="set --maxmemory-policy noeviction",
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
    """REDIS_URL, or REDIS_PASSWORD, has the password that Redis requires."""
    for redis in services_of(model, REDIS):
        wanted = _required_password(redis)
        if wanted is None:
            continue
        for service in lago(model):
            url = url_of(service, "REDIS_URL")
            if url is None or redis not in named(model, url.host):
                continue
            # A password of its own takes the place of the URL's.
            name = "REDIS_PASSWORD" if service.value("REDIS_PASSWORD") else "REDIS_URL"
            given = service.value("REDIS_PASSWORD") or url.password
            if not given and service.environment_elsewhere:
                continue
            one_masked = bool(given and wanted) and is_masked(given) != is_masked(wanted)
            if given != wanted and not one_masked and not unknown(given) and not url.raw_password:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"Redis requires a password that {name} doesn't have"
                    if wanted
                    else f"{name} has a password, but Redis requires none",
                    impact="NOAUTH or WRONGPASS: the worker exits, and calls that enqueue a job answer 500",
                    fix="set both from one variable"
                    if wanted
                    else f"start Redis with --requirepass and that password, or remove it from {name}",
                )
