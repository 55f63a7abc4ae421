"""What rules ask about PostgreSQL and Redis. No rule is registered here."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.roles import DB
from lago_acceptance.core.urls import ServiceUrl
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.store_settings import redis_settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules.helpers import default_directory, lago, named, url_of

URL = "DATABASE_URL"


def holds_jobs(model: Model, redis: Service) -> bool:
    """Whether a Redis holds Lago's jobs; also where no REDIS_URL says which one does."""
    hosts = {url.host for service in lago(model) if (url := url_of(service, "REDIS_URL"))}
    if not hosts or any(map(unknown, hosts)):
        return True
    return any(redis in named(model, host) for host in hosts)


def data_directory(model: Model, service: Service, role: str) -> str:
    """Where PostgreSQL or Redis keeps its data."""
    if role == DB:
        return (service.value("PGDATA") or default_directory(service)).rstrip("/")
    if "bitnami" in service.image:
        return f"/bitnami/{'valkey' if 'valkey' in service.image else 'redis'}/data"
    return redis_settings(service, model).get("dir").rstrip("/") or "/data"


def urls(model: Model) -> Iterator[tuple[Service, ServiceUrl]]:
    """Each of Lago's services with its database URL, where it has one."""
    for service in lago(model):
        if url := url_of(service, URL):
            yield service, url
