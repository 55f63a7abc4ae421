"""How the internet reaches a page of the API. No rule is registered here."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_routing import ways_to
from lago_acceptance.rules.helpers.remedies import api_name

CONSOLE, METRICS = "/sidekiq", "/metrics"


class Exposure(msgspec.Struct, frozen=True):
    """How the internet reaches a page of the API: ``where`` in words, ``path`` as the proxy sees it."""

    where: str
    path: str


def exposure(model: Model, service: Service, path: str) -> Exposure | None:
    """How the internet reaches a path of the API, None as far as the file shows no way."""
    for way in ways_to(model, API, path):
        if way.router.owner is service:
            named = way.host and not unknown(way.host)
            shown = f"https://{way.host}{way.path}" if named else f"{way.path} at the API's public name"
            return Exposure(shown, way.path)
    for port in service.ports:
        if not port.loopback:
            return Exposure(f"port {port.published or port.target} of the host", path)
    return None


def closing_router(model: Model, settings: Settings, path: str) -> str:
    """What to write to close a path at Traefik."""
    return (
        f"close it at the proxy; with Traefik, a router with rule: Host(`{api_name(model, settings)}`) && "
        f"PathPrefix(`{path}`), a priority above the API's own, and a middleware with ipallowlist.sourcerange: 127.0.0.1/32 "
        "(Traefik 2: ipwhitelist)"
    )
