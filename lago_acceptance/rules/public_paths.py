"""The rule about where the requests of browsers and links arrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_routing import taken
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import has_api, variable

_GRAPHQL = "/graphql"
_FILES = "/rails/active_storage/blobs"


class _Request(NamedTuple):
    """A request that a URL leads to: who has the URL, in which variable, and the path that Lago must get."""

    service: Service
    name: str
    url: ServiceUrl
    wanted: str

    @property
    def base(self) -> str:
        return self.url.path.rstrip("/")

    @property
    def path(self) -> str:
        return self.base + self.wanted


def _asked(model: Model) -> Iterator[_Request]:
    """What browsers and links ask the API for."""
    for service in model.of_role(FRONT):
        value, name = service.value("API_URL"), "API_URL"
        if not value and service.value("LAGO_DOMAIN"):
            value, name = f"https://{service.value('LAGO_DOMAIN')}/api", "LAGO_DOMAIN"
        if url := service_url(value):
            yield _Request(service, name, url, _GRAPHQL)
    for service in model.of_role(API):
        if url := service_url(service.value("LAGO_API_URL")):
            yield _Request(service, "LAGO_API_URL", url, _FILES)


@rule(
    phase=3,
    follows=("api-url-internal", "front-api-url-internal", "no-router-labels"),
)
def api_url_not_routed(model: Model, settings: Settings) -> Iterator[Violation]:
    """What is behind API_URL and LAGO_API_URL arrives at the API, without the path of the URL.

    The browser posts to API_URL/graphql, and links to PDFs are LAGO_API_URL/rails/.... Where one name serves UI and API, a
    router with PathPrefix takes the API's part, and a stripprefix middleware removes what Lago doesn't know. Not judged
    where the name has no router in the file, or where a rule or a middleware can't be read from here.
    """
    found: dict[tuple[str, str], list[_Request]] = {}
    for request in _asked(model) if has_api(model) else ():
        if key := _astray(model, request):
            found.setdefault(key, []).append(request)
    for (router, arrives), requests in found.items():
        yield _violation(router, arrives, requests)


def _astray(model: Model, request: _Request) -> tuple[str, str] | None:
    """The router of a request that doesn't arrive as it should, and where it arrives: a path, or "front"."""
    result = taken(model, request.url.host.lower(), request.path)
    if result is None or not result.path:
        return None
    role = result.router.owner.role
    if role == FRONT:
        return result.router.name, "front"
    if role == API and result.path != request.wanted:
        return result.router.name, result.path.removesuffix(request.wanted)
    return None


def _violation(router: str, arrives: str, requests: list[_Request]) -> Violation:
    first = requests[0]
    names = " and ".join(dict.fromkeys(request.name for request in requests))
    browser = any(request.wanted == _GRAPHQL for request in requests)
    consequence = "every login fails" if browser else "links to PDFs and logos lead nowhere"
    apart = f"give the API a router for that host with PathPrefix(`{first.base or _GRAPHQL}`)" + (
        f" and a stripprefix middleware for {first.base}"
        if first.base
        else ", and others for /api and /rails"
    )
    if arrives == "front":
        problem = f"{first.path} at the host of {names} goes to the front, by its router {router}"
        impact = f"the front answers with its page or 405: {consequence}"
    else:
        problem = f"{names}: router {router} passes {arrives}{first.wanted} on to Lago, which only knows {first.wanted}"
        impact = f"Lago answers 404: {consequence}"
        apart = (
            f"strip it: traefik.http.middlewares.lago-strip.stripprefix.prefixes: {arrives}, and "
            f"traefik.http.routers.{router}.middlewares: lago-strip"
        )
    return Violation(
        service=first.service,
        at=variable(first.service, first.name),
        problem=problem,
        impact=impact,
        fix=apart,
    )
