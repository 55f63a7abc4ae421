"""How browsers reach a page of the API, and how to close it. No rule is registered here."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import CADDY, NGINX, NGINX_PROXY, TRAEFIK, TUNNEL, Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Port, Service
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.traefik_routing import ways_to
from lago_acceptance.model.way_in import Scope, virtual_hosts, way_in
from lago_acceptance.rules.helpers.remedies import api_host

CONSOLE, METRICS = "/sidekiq", "/metrics"


class Exposure(msgspec.Struct, frozen=True):
    """How others reach a page of the API: ``where`` in words, ``path`` as the proxy sees it, ``port`` if it is a published one.

    ``host`` is the name at which they do, "" where it isn't known.
    """

    where: str
    path: str
    port: Port | None = None
    host: str = ""


def exposure(model: Model, service: Service, path: str) -> Exposure | None:
    """How others reach a path of the API, None as far as the file shows no way."""
    for way in ways_to(model, API, path):
        if way.router.owner is service:
            named = way.host and not unknown(way.host)
            shown = f"https://{way.host}{way.path}" if named else f"{way.path} at the API's public name"
            return Exposure(shown, way.path, host=way.host if named else "")
    for port in service.ports:
        if not port.loopback:
            return Exposure(f"port {port.published or port.target} of the host", path, port)
    hosts = virtual_hosts(service)
    if hosts and service.value("VIRTUAL_PATH") in ("", "/"):
        return Exposure(f"https://{hosts[0]}{path}", path, host=hosts[0])
    return None


def closing(model: Model, settings: Settings, path: str, way: Exposure | None) -> str:
    """What to write to close a path, in the terms of the deployment's own proxy."""
    if way and way.port:
        own = f"127.0.0.1:{way.port.published or way.port.target}:{way.port.target}"
        here = f"publish the port for this machine only ({own})"
        plain = way_in(model, settings).scope == Scope.MACHINE
        return here if plain else f"{here}, and let a proxy in front of it refuse {path}"
    kind = front_proxy(model, settings).kind
    host = way.host if way and way.host else api_host(model, settings)
    return {
        TRAEFIK: f"close it at the proxy: a router with rule: Host(`{host}`) && PathPrefix(`{path}`), a priority above the "
        "API's own, and a middleware with ipallowlist.sourcerange: 127.0.0.1/32 (Traefik 2: ipwhitelist)",
        CADDY: f"close it at Caddy, in the site of {host}: respond {path}* 404",
        NGINX: f"close it at nginx, in the server of {host}: location ^~ {path} {{ return 404; }}",
        NGINX_PROXY: f"close it at nginx-proxy: location ^~ {path} {{ return 404; }} in its file vhost.d/{host}",
        TUNNEL: f"close it at Cloudflare: a rule that blocks {host}{path}, or an application of Access for it",
    }.get(kind, f"close {path} at the proxy in front of it")
