"""What rules ask about PostgreSQL and Redis. No rule is registered here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.roles import DB, PDF, REDIS
from lago_acceptance.core.urls import ServiceUrl
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.store_settings import redis_settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once
from lago_acceptance.rules.helpers import lago
from lago_acceptance.rules.helpers.hosts import elsewhere, named, url_of

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


def services_of(model: Model, *roles: str) -> tuple[Service, ...]:
    """The services of these roles, without databases and Redis of other applications in the same file."""
    return tuple(each for each in model.of_role(*roles) if is_lagos(model, each))


def data_services(model: Model) -> tuple[Service, ...]:
    """Lago's database and Redis."""
    return services_of(model, DB, REDIS)


@once
def stores(model: Model) -> tuple[tuple[Service, str], ...]:
    """Every PostgreSQL and Redis with its role (DB or REDIS): by the role's images, or because Lago's URLs name it.

    The second finds images that only a gate can judge, such as Bitnami's PostgreSQL.
    """
    found = [(service, service.role or "") for service in data_services(model)]
    by_url: dict[str, tuple[Service, str]] = {}
    for name, (role, *_) in PARTNERS:
        if role in _STORE_IMAGE:
            hosts = {url.host for service in lago(model) if (url := url_of(service, name))}
            by_url |= {each.name: (each, role) for host in hosts for each in named(model, host)}
    for service, role in by_url.values():
        image = service.image.partition("@")[0]
        if service.role is None and _STORE_IMAGE[role].search(image) and not _NO_STORE.search(image):
            found.append((service, role))
    return tuple(found)


@once
def is_lagos(model: Model, service: Service) -> bool:
    """Whether a service is Lago's: any that is no database or Redis, or one that Lago's URLs name.

    Where they name none of its role, it counts as Lago's unless each of them names a host outside of the deployment.
    """
    if service.role not in (DB, REDIS):
        return True
    names = [name for name, (role, *_) in PARTNERS if role == service.role]
    urls = [url for each in lago(model) for name in names if (url := url_of(each, name))]
    theirs = [each for url in urls for each in named(model, url.host)]
    if theirs or not urls:
        return service in theirs or not urls
    return not all(not unknown(url.host) and elsewhere(model, url.host) for url in urls)


_STORE_IMAGE = {
    DB: re.compile(r"(?i)postgres|pgvector|timescale|citus"),
    REDIS: re.compile(r"(?i)redis|valkey|keydb|dragonfly"),
}


_NO_STORE = re.compile(r"(?i)pool|bouncer|pgcat|proxy|sentinel|exporter|backup|admin|operator")


def default_directory(service: Service) -> str:
    """The data directory of a PostgreSQL image, unless PGDATA is set."""
    if "bitnami" in service.image:
        return "/bitnami/postgresql"
    found = re.search(r"postgres:(\d+)(?:[.@-]|beta|rc|$)", service.image)
    return "/var/lib/postgresql" if found and int(found[1]) >= 18 else "/var/lib/postgresql/data"


PARTNERS = (
    ("DATABASE_URL", (DB,)),
    ("REDIS_URL", (REDIS,)),
    ("LAGO_REDIS_CACHE_URL", (REDIS,)),
    ("LAGO_PDF_URL", (PDF,)),
)
