"""What remedies name: hosts, networks and resolvers of the file at hand. No rule is registered here."""

from __future__ import annotations

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import nested
from lago_acceptance.model.traefik_labels import (
    routers,
)


def api_name(model: Model, settings: Settings) -> str:
    """The API's public name for a remedy: that of the settings, else the file's own or an example."""
    return settings.host(API) or _public_name(model, API, "billing-api.example.com")


def front_name(model: Model, settings: Settings) -> str:
    """The front's public name for a remedy, like ``api_name``."""
    return settings.host(FRONT) or _public_name(model, FRONT, "billing.example.com")


def proxy_network(model: Model, settings: Settings) -> str:
    """The name of the proxy's network for a remedy: that of the settings, else the file's own; "" where neither says it."""
    labels = (service.labels.get("traefik.docker.network", "") for service in model.services)
    own = next((label for label in labels if label and not unknown(label)), "")
    return settings.edge.proxy_network or own


def resolver_name(model: Model, settings: Settings) -> str:
    """The name of a certificate resolver for a remedy: one that the file uses, else that of the settings or a placeholder."""
    used = (router.resolver for service in model.services for router in routers(service))
    return next((name for name in used if name and not unknown(name)), settings.edge.resolver) or "NAME"


def is_or_falls_back(model: Model, service: Service, name: str) -> str:
    """ "falls back to" where a variable has the default of one that is unset, else "is"."""
    source = model.source
    text = source.text(service.name, name) if source else None
    if source and text and any(use.default and use.name in source.unset for use in nested(text)):
        return "falls back to"
    return "is"


def cannot_reach(name: str) -> str:
    """What happens to Lago where the host of a URL variable doesn't answer."""
    return _UNREACHABLE.get(name, "Lago can't reach it")


_UNREACHABLE = {
    "DATABASE_URL": "migrations fail, and every call answers 500",
    "REDIS_URL": "the worker exits, and calls that enqueue a job answer 500",
    "LAGO_REDIS_CACHE_URL": "nothing is cached, so calls take longer",
    "LAGO_PDF_URL": "invoices get no PDF, and each leaves a dead job",
}


def _public_name(model: Model, role: str, example: str) -> str:
    hosts = [host for service in model.of_role(role) for router in routers(service) for host in router.hosts]
    return next((host for host in hosts if not unknown(host) and "." in host), example)
