"""What remedies name: hosts, networks and resolvers of the file at hand. No rule is registered here."""

from __future__ import annotations

from functools import cache

from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings, load
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import nested
from lago_acceptance.model.traefik_labels import (
    routers,
)


def api_name(model: Model, settings: Settings) -> str:
    """The API's public name for a remedy: that of the settings where they are this file's, else the file's own or an example."""
    own = settings.hosts.api if _of_this_deployment(settings) else ""
    return own or _public_name(model, API, settings.hosts.api, "billing-api.example.com")


def front_name(model: Model, settings: Settings) -> str:
    """The front's public name for a remedy, like ``api_name``."""
    own = settings.hosts.front if _of_this_deployment(settings) else ""
    return own or _public_name(model, FRONT, settings.hosts.front, "billing.example.com")


def proxy_network(model: Model, settings: Settings) -> str:
    """The name of the proxy's network for a remedy: that of the settings where they are this file's, else the file's own.

    "" where neither says it.
    """
    own, names = settings.edge.proxy_network, {network.name for network in model.networks}
    if own in names or _of_this_deployment(settings):
        return own
    labels = (service.labels.get("traefik.docker.network", "") for service in model.services)
    return next((label for label in labels if label and not unknown(label)), "")


def resolver_name(model: Model, settings: Settings) -> str:
    """The name of a certificate resolver for a remedy: one that the file uses, else that of the settings."""
    used = (router.resolver for service in model.services for router in routers(service))
    return next((name for name in used if name and not unknown(name)), settings.edge.resolver)


@cache
def _shipped() -> Settings:
    return load(SETTINGS)


def _of_this_deployment(settings: Settings) -> bool:
    """Whether somebody wrote the settings for the file at hand; those that come with the suite are of one deployment."""
    return (settings.hosts, settings.edge) != (_shipped().hosts, _shipped().edge)


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


def _public_name(model: Model, role: str, own: str, example: str) -> str:
    hosts = [host for service in model.of_role(role) for router in routers(service) for host in router.hosts]
    of_file = [host for host in hosts if not unknown(host) and "." in host]
    values = (value or "" for service in model.services for value in service.environment.values())
    if own in of_file or any(own in value for value in values):
        return own
    return of_file[0] if of_file else example
