"""What remedies name: hosts, networks and resolvers of the file at hand. No rule is registered here."""

from __future__ import annotations

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import PublicUrl, public_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import nested
from lago_acceptance.model.traefik_labels import network_labels, routers
from lago_acceptance.model.traefik_proxy import proxy
from lago_acceptance.model.way_in import Scope, published_as, way_in

_EXAMPLES = {API: "https://billing-api.example.com", FRONT: "https://billing.example.com"}
_NAMES = {API: "API", FRONT: "front"}


def api_url(model: Model, settings: Settings) -> str:
    """The API's URL for a remedy: that of the settings, else the file's own; an example only where the file names no host at all."""
    return _url(model, settings, API)


def front_url(model: Model, settings: Settings) -> str:
    """The front's URL for a remedy, like ``api_url``."""
    return _url(model, settings, FRONT)


def api_host(model: Model, settings: Settings) -> str:
    """The host of ``api_url``, for the rule of a router."""
    url = public_url(api_url(model, settings))
    return url.host if url else "<the API's name>"


def _url(model: Model, settings: Settings, role: str) -> str:
    if given := settings.url(role):
        return str(given)
    way = way_in(model, settings)
    # What a proxy or a port serves comes before what only a variable says; Lago's own before the front's.
    own = [each for each in way.of(role) if each.scope == way.scope]
    order = ("LAGO_API_URL", "LAGO_FRONT_URL", "VIRTUAL_HOST", "", "API_URL", "LAGO_DOMAIN")
    if own:
        first = min(own, key=lambda each: order.index(each.variable))
        return str(first.url) + ("/api" if first.variable == "LAGO_DOMAIN" and role == API else "")
    if written := _as_written(model, role):
        return written
    if port := _published(model, role):
        host = (
            way.widest.url.host if way.widest and way.scope in (Scope.MACHINE, Scope.NETWORK) else "localhost"
        )
        if way.scope is None or way.scope < Scope.PUBLIC:
            return str(PublicUrl("http", host, port))
    return f"<the {_NAMES[role]}'s public URL>" if way.addresses or way.platform else _EXAMPLES[role]


def _as_written(model: Model, role: str) -> str:
    """What the file gives the API for a URL that only the deploy knows."""
    name = "LAGO_API_URL" if role == API else "LAGO_FRONT_URL"
    for service in model.of_role(API) if model.source else ():
        if unknown(service.value(name)) and model.source:
            return model.source.text(service.name, name) or ""
    return ""


def _published(model: Model, role: str) -> int:
    ports = [
        number for service in model.of_role(role) for port in service.ports for number in published_as(port)
    ]
    return next(iter(ports), 0)


def proxy_network(model: Model, settings: Settings) -> str:
    """The name of the proxy's network for a remedy: that of the settings, else the file's own; "" where neither says it."""
    labels = (label for service in model.services for label in network_labels(service).values())
    own = next((label for label in labels if label and not unknown(label)), "")
    return settings.edge.proxy_network or own


def resolver_name(model: Model, settings: Settings) -> str:
    """The name of a certificate resolver for a remedy: one that the file uses, else that of the settings or of the file's own
    Traefik, or a placeholder."""
    used = (router.resolver for service in model.services for router in routers(service))
    named = next((name for name in used if name and not unknown(name)), settings.edge.resolver)
    return named or min(proxy(model, settings).resolvers, default="<a resolver of your Traefik>")


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
