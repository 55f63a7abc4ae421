"""Which proxy the public reaches Lago through: a service of the deployment, one beside it, or none."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.roles import API, FRONT, PROXY
from lago_acceptance.core.settings import (
    CADDY,
    NGINX,
    NGINX_PROXY,
    NO_PROXY,
    OTHER,
    TRAEFIK,
    TUNNEL,
    Settings,
)
from lago_acceptance.core.urls import public_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once

_WEB = (80, 443, 8080, 8443)
# What an image is called, without its registry; the first that fits.
_IMAGES = (
    (NGINX_PROXY, r"(nginxproxy|jwilder)/nginx-proxy"),
    (TUNNEL, r"cloudflare/cloudflared"),
    (CADDY, r"caddy|[\w.-]+/caddy(-docker-proxy)?"),
    (
        NGINX,
        r"nginx|openresty|[\w.-]+/(nginx|openresty|swag|nginx-proxy-manager|nginx-certbot|nginx-unprivileged)",
    ),
    (TRAEFIK, r"traefik|[\w.-]+/traefik"),
    (OTHER, r"haproxy|httpd|apache|envoy|([\w.-]+/)+(haproxy|httpd|envoy|kong|zoraxy)|kong"),
)
_KINDS = tuple(
    (kind, re.compile(rf"(?:(?:[\w-]+\.)+[\w-]+(?::\d+)?/)?(?:library/)?(?:{image})"))
    for kind, image in _IMAGES
)
# By the name of a label or of a variable of API or front: whose proxy reads it.
_LABELS = (
    (TRAEFIK, re.compile(r"traefik\.(http|enable|docker|frontend)\b")),
    (CADDY, re.compile(r"caddy(_\d+)?(\.|$)")),
)
_VARIABLES = ((NGINX_PROXY, "VIRTUAL_HOST"),)


class FrontProxy(msgspec.Struct, frozen=True):
    """The proxy that the public reaches. ``kind`` is one of ``settings.PROXIES``.

    ``service`` is it, where it is a service of the deployment. ``by`` is what says so, ``at`` its YAML path.
    """

    kind: str
    service: Service | None
    by: str
    at: tuple[str | int, ...] = ()


def kind_of(image: str) -> str:
    """The kind of proxy that an image is, "" if it is none."""
    name = image.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rsplit("/", 1)[-1] else name
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), "")


@once
def front_proxy(model: Model, settings: Settings) -> FrontProxy:
    """The proxy in front of Lago: what the settings say, else what the deployment shows."""
    inside = _inside(model)
    if settings.edge.proxy:
        own = inside.service if inside and inside.kind == settings.edge.proxy else None
        return FrontProxy(settings.edge.proxy, own, "edge.proxy of the settings")
    return inside or _by_labels(model) or _by_urls(model)


def _inside(model: Model) -> FrontProxy | None:
    """A service of the deployment that is a proxy; one that takes the web's ports before one that doesn't."""
    found = [
        FrontProxy(kind, service, f"the image of {service.name}", ("services", service.name, "image"))
        for service in model.services
        if (kind := TRAEFIK if service.role == PROXY else "" if service.role else kind_of(service.image))
    ]
    return max(found, key=_takes_the_web, default=None)


def _takes_the_web(proxy: FrontProxy) -> int:
    service = proxy.service
    if service is None or proxy.kind == TUNNEL:
        return 1
    return 2 * (service.network_mode == "host" or any(port.target in _WEB for port in service.ports))


def _by_labels(model: Model) -> FrontProxy | None:
    """A proxy beside the deployment, which reads the labels or the variables of API and front."""
    for service in model.of_role(API, FRONT):
        for label in service.labels:
            for kind, pattern in _LABELS:
                if pattern.match(label.lower()):
                    at = ("services", service.name, "labels", label)
                    return FrontProxy(kind, None, f"the labels of {service.name}", at)
        for kind, name in _VARIABLES:
            if service.value(name):
                at = ("services", service.name, "environment", name)
                return FrontProxy(kind, None, f"{name} of {service.name}", at)
    return None


def _by_urls(model: Model) -> FrontProxy:
    """Whether browsers reach Lago's own ports, or a proxy that nothing here shows."""
    for service, name in _urls(model):
        url = public_url(service.value(name)) if "://" in service.value(name) else None
        if url is None or unknown(service.value(name)):
            continue
        at = ("services", service.name, "environment", name)
        if url.scheme == "http":
            return FrontProxy(NO_PROXY, None, f"{name} of {service.name}, which is {url}", at)
        return FrontProxy(OTHER, None, f"{name} of {service.name}, which is {url}", at)
    return FrontProxy(OTHER, None, "nothing in it: no service, label or URL shows one")


def _urls(model: Model) -> list[tuple[Service, str]]:
    return [
        *((service, "LAGO_FRONT_URL") for service in model.of_role(API)),
        *((service, "API_URL") for service in model.of_role(FRONT)),
        *((service, "LAGO_API_URL") for service in model.of_role(API)),
    ]
