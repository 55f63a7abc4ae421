"""PostgreSQL and Redis of a stack whose file has them elsewhere: managed services, which no test may reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from lago_acceptance.core.roles import DB, LAGO_RUBY, REDIS
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.hidden_labels import hidden
from lago_acceptance.rules.helpers.hosts import named
from lago_acceptance.targets.stack.extras import Extra

POSTGRES, REDIS_SERVER = "lago-acceptance-postgres", "lago-acceptance-redis"
_IMAGES = {POSTGRES: "postgres:15-alpine", REDIS_SERVER: "redis:7-alpine"}
_REDIS_URLS = ("REDIS_URL", "LAGO_REDIS_CACHE_URL", "LAGO_REDIS_CABLE_URL", "LAGO_REDIS_STORE_URL")
# What the run's own Redis has no use for.
_UNUSED = (
    "REDIS_PASSWORD",
    "LAGO_REDIS_CACHE_PASSWORD",
    "LAGO_REDIS_SIDEKIQ_SENTINELS",
    "LAGO_REDIS_CACHE_SENTINELS",
)
_OF_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding", "ssl_verify_mode")
_COMMON = {
    "restart": "unless-stopped",
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    "labels": hidden({}),
}


class Stores(msgspec.Struct, frozen=True):
    """Services that a run adds, what changes in those that use them, and a line for each."""

    services: dict[str, dict[str, Any]] = {}
    extras: dict[str, Extra] = {}
    told: tuple[str, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """The images of the services."""
        return tuple(service["image"] for service in self.services.values())


def stores_of(model: Model, networks: Mapping[str, Any]) -> Stores:
    """The stores that a file has elsewhere, as containers of the run. ``networks`` are those of the API, by key."""
    users = model.of_role(*LAGO_RUBY)
    services: dict[str, dict[str, Any]] = {}
    variables: dict[str, dict[str, str]] = {service.name: {} for service in users}
    told = []
    if not model.of_role(DB) and (url := _elsewhere(model, users, ("DATABASE_URL",))):
        services[POSTGRES] = _postgres(url, networks)
        told.append(f"PostgreSQL is elsewhere ({url.host}): a new one of the run is in its place")
        _redirected(
            variables,
            users,
            ("DATABASE_URL",),
            url,
            _database,
        )
    if not model.of_role(REDIS) and (url := _elsewhere(model, users, _REDIS_URLS)):
        services[REDIS_SERVER] = _redis(networks)
        told.append(f"Redis is elsewhere ({url.host}): a new one of the run is in its place")
        _redirected(
            variables,
            users,
            _REDIS_URLS,
            url,
            lambda each: f"redis://{REDIS_SERVER}:6379{each.path}",
        )
        for service in users:
            variables[service.name] |= {name: "" for name in _UNUSED if service.value(name)}
    extras = {
        name: Extra(environment=changed, waits_for=tuple(services))
        for name, changed in variables.items()
        if services
    }
    return Stores(services, extras, tuple(told))


def _elsewhere(model: Model, users: tuple[Service, ...], names: tuple[str, ...]) -> ServiceUrl | None:
    """The first of some URLs whose host is no service of the file."""
    urls = (service_url(service.value(name)) for service in users for name in names)
    return next((url for url in urls if url and url.host and not named(model, url.host)), None)


def _redirected(
    variables: dict[str, dict[str, str]],
    users: tuple[Service, ...],
    names: tuple[str, ...],
    first: ServiceUrl,
    changed: Callable[[ServiceUrl], str],
) -> None:
    """Change the URLs of the same place; another one may be a mistake, and stays what it is."""
    for service in users:
        for name in names:
            url = service_url(service.value(name))
            if url and (url.host, url.port) == (first.host, first.port):
                variables[service.name][name] = changed(url)


def _database(url: ServiceUrl) -> str:
    """A URL of PostgreSQL at the run's own, without what asks for TLS."""
    password = f":{quote(url.password, safe='')}" if url.password else ""
    query = urlencode([each for each in parse_qsl(url.query) if each[0] not in _OF_TLS])
    place = f"{quote(url.user, safe='')}{password}@{POSTGRES}:5432{url.path}"
    return f"{url.scheme}://{place}" + (f"?{query}" if query else "")


def _postgres(url: ServiceUrl, networks: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_COMMON,
        "image": _IMAGES[POSTGRES],
        "environment": {
            "POSTGRES_USER": url.user,
            "POSTGRES_PASSWORD": url.password,
            "POSTGRES_DB": url.database,
        },
        "healthcheck": {
            "test": ["CMD", "pg_isready", "--host=127.0.0.1", f"--username={url.user}"],
            "interval": "2s",
            "timeout": "5s",
            "retries": 30,
        },
        "volumes": [{"type": "volume", "source": POSTGRES, "target": "/var/lib/postgresql/data"}],
        "networks": dict.fromkeys(networks),
    }


def _redis(networks: Mapping[str, Any]) -> dict[str, Any]:
    """Without a password: it would be in the arguments of a process, and nobody else reaches it."""
    return {
        **_COMMON,
        "image": _IMAGES[REDIS_SERVER],
        "command": ["redis-server", "--appendonly", "yes"],
        "healthcheck": {
            "test": ["CMD-SHELL", "redis-cli ping | grep -q PONG"],
            "interval": "2s",
            "timeout": "5s",
            "retries": 30,
        },
        "volumes": [{"type": "volume", "source": REDIS_SERVER, "target": "/data"}],
        "networks": dict.fromkeys(networks),
    }
