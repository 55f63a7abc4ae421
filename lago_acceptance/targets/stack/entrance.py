"""How the public gets into a stack: as it does in production, as far as the compose file shows it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import NO_PROXY, TRAEFIK, TUNNEL, Settings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.lago.ports import listens_on
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.front_proxy import FrontProxy, front_proxy
from lago_acceptance.targets.stack.extras import Extra

LABELS, OWN, ROUTES, PORTS = "labels", "own", "routes", "ports"
# The network on which the run's own proxy finds the services that it has routes for.
PROXY_KEY = "lago-acceptance-proxy"
# What Lago answers at the root of the name that its front has, where browsers reach the API there.
_API_PATHS = ("/graphql", "/api/v", "/rails")
_DEFAULT_PORTS = {API: 3000, FRONT: 80}


class Entrance(msgspec.Struct, frozen=True):
    """How a stack is reached.

    ``LABELS``: the run's Traefik obeys the file's labels. ``OWN``: the proxy is a service of the file. ``ROUTES``: the file has
    nothing of its proxy, and the run's Traefik sends each public URL where it belongs. ``PORTS``: there is no proxy.
    """

    kind: str
    front: FrontProxy


def entrance_of(model: Model, given: Settings) -> Entrance:
    """How a stack of this file is reached."""
    front = front_proxy(model, given)
    if front.kind == NO_PROXY:
        return Entrance(PORTS, front)
    if front.service and front.kind != TUNNEL and model.starts(front.service):
        return Entrance(OWN, front)
    return Entrance(LABELS if front.kind == TRAEFIK else ROUTES, front)


def routes(model: Model, settings: Settings, resolver: str) -> dict[str, Extra]:
    """What API and front need so that the run's Traefik sends their public URLs to them, by service."""
    made: dict[str, dict[str, str]] = {}
    http, https = settings.edge.http_entrypoint, settings.edge.https_entrypoint
    for role, name, rule, strip in _wanted(settings):
        service = next(iter(model.of_role(role)), None)
        if service is None:
            continue
        router, labels = f"lago-acceptance-{name}", made.setdefault(service.name, _of_service(service, model))
        prefix = f"traefik.http.routers.{router}"
        labels |= {
            f"{prefix}.rule": rule,
            f"{prefix}.entrypoints": https,
            f"{prefix}.tls.certresolver": resolver,
            f"{prefix}.service": f"lago-acceptance-{role}",
            f"{prefix}-http.rule": rule,
            f"{prefix}-http.entrypoints": http,
            f"{prefix}-http.middlewares": "lago-acceptance-https",
            f"{prefix}-http.service": f"lago-acceptance-{role}",
        }
        if strip:
            labels |= {
                f"{prefix}.middlewares": f"{router}-strip",
                f"traefik.http.middlewares.{router}-strip.stripprefix.prefixes": strip,
            }
    return {service: Extra(labels=labels, networks={PROXY_KEY: {}}) for service, labels in made.items()}


def _of_service(service: Service, model: Model) -> dict[str, str]:
    role = service.role or ""
    port = listens_on(service, model) or _DEFAULT_PORTS[role]
    return {
        "traefik.enable": "true",
        f"traefik.http.services.lago-acceptance-{role}.loadbalancer.server.port": str(port),
        "traefik.http.middlewares.lago-acceptance-https.redirectscheme.scheme": "https",
        "traefik.http.middlewares.lago-acceptance-https.redirectscheme.permanent": "true",
    }


def _wanted(settings: Settings) -> Iterator[tuple[str, str, str, str]]:
    """Role, name, rule and the prefix to strip of each route."""
    front, api, browser = settings.url(FRONT), settings.url(API), settings.browser_api
    if front:
        yield FRONT, "front", f"Host(`{front.host}`)", ""
    if api:
        yield API, "api", _rule(api), api.path
    if api and api.path and front and api.host == front.host:
        # Lago's own paths begin with /api too: those of its versions are not stripped.
        yield API, "api-versions", f"Host(`{api.host}`) && PathPrefix(`/api/v`)", ""
    if browser and browser != api:
        if browser.path or front is None or browser.host != front.host:
            yield API, "browser-api", _rule(browser), browser.path
        else:
            paths = " || ".join(f"PathPrefix(`{path}`)" for path in _API_PATHS)
            yield API, "browser-api", f"Host(`{browser.host}`) && ({paths})", ""


def _rule(url: PublicUrl) -> str:
    return f"Host(`{url.host}`)" + (f" && PathPrefix(`{url.path}`)" if url.path else "")
