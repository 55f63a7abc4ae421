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
from lago_acceptance.model.platforms import platforms

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
# Programs that write the configuration of an nginx beside them from variables of containers: nginx-proxy in parts.
_WRITES_NGINX = re.compile(r"(^|/)(docker-gen|acme-companion|letsencrypt-nginx-proxy-companion)\b")
_MARKS_NGINX = "com.github.nginx-proxy.nginx"
CAPROVER = "CapRover"
# Platforms that are known by the variables that they set, too.
_PLATFORM_VARIABLES = {"Coolify": ("SERVICE_FQDN_", "SERVICE_URL_")}
# By the name of a label or of a variable of API or front: whose proxy reads it.
_LABELS = (
    (TRAEFIK, re.compile(r"traefik\.(http|enable|docker|frontend)\b")),
    (CADDY, re.compile(r"caddy(_\d+)?(\.|$)")),
)
_VARIABLES = ((NGINX_PROXY, "VIRTUAL_HOST"),)


class FrontProxy(msgspec.Struct, frozen=True):
    """The proxy that the public reaches. ``kind`` is one of ``settings.PROXIES``.

    ``service`` is it, where it is a service of the deployment. ``by`` is what says so, ``at`` its YAML path. ``platform`` is the
    name of one that adds its routes when it deploys, so that they are not in the file.
    """

    kind: str
    service: Service | None
    by: str
    at: tuple[str | int, ...] = ()
    platform: str = ""


def kind_of(image: str) -> str:
    """The kind of proxy that an image is, "" if it is none."""
    name = image.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rsplit("/", 1)[-1] else name
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), "")


@once
def front_proxy(model: Model, settings: Settings) -> FrontProxy:
    """The proxy in front of Lago: what the settings say, else what the deployment shows."""
    every = shown(model)
    if settings.edge.proxy:
        own = next((each.service for each in every if each.kind == settings.edge.proxy), None)
        return FrontProxy(settings.edge.proxy, own, "edge.proxy of the settings")
    if every:
        return every[0]
    if settings.edge.https_entrypoint or settings.edge.http_entrypoint:
        return FrontProxy(TRAEFIK, None, "the entry points in the settings")
    return _by_network(model) or _by_urls(model)


@once
def shown(model: Model) -> tuple[FrontProxy, ...]:
    """The proxies that a deployment shows by services, labels and variables, the outermost first."""
    inside = _inside(model)
    found = (inside, _by_labels(model), _by_variables(model))
    return tuple(each for each in found if each)


def _inside(model: Model) -> FrontProxy | None:
    """A service of the deployment that is a proxy; one that takes the web's ports before one that doesn't."""
    parts = any(_WRITES_NGINX.search(each.image) for each in model.services)
    found = [
        FrontProxy(kind, service, f"the image of {service.name}", ("services", service.name, "image"))
        for service in model.services
        if (kind := _kind_of(service, parts))
    ]
    return max(found, key=_takes_the_web, default=None)


def _kind_of(service: Service, parts: bool) -> str:
    if service.role == PROXY:
        return TRAEFIK
    kind = "" if service.role else kind_of(service.image)
    return NGINX_PROXY if kind == NGINX and (parts or _MARKS_NGINX in service.labels) else kind


def serves_the_proxy(service: Service) -> bool:
    """Whether a service is a proxy, or a part of one that reads Docker's socket for it."""
    return bool(
        service.role == PROXY
        or not service.role
        and (kind_of(service.image) or _WRITES_NGINX.search(service.image))
        or "com.github.nginx-proxy.docker-gen" in service.labels
        or "com.github.jrcs.letsencrypt_nginx_proxy_companion.docker_gen" in service.labels
    )


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


def _by_variables(model: Model) -> FrontProxy | None:
    """A platform whose variables are there. On a host it has deployed already: there its labels say what it routes."""
    for service in model.of_role(API, FRONT) if not model.observed else ():
        for each in platforms():
            prefixes = _PLATFORM_VARIABLES.get(each.name, ())
            for variable in service.environment if prefixes else ():
                if variable.startswith(prefixes):
                    at = ("services", service.name, "environment", variable)
                    return FrontProxy(
                        each.proxy.lower(), None, f"{variable} of {service.name}", at, each.name
                    )
    return None


def _by_network(model: Model) -> FrontProxy | None:
    """A platform whose proxy is on a network of the API or the front."""
    for service in model.of_role(API, FRONT):
        for key in service.networks:
            name = model.network_name(key)
            for each in platforms():
                if each.proxy and name in each.networks:
                    at = ("services", service.name, "networks", key)
                    platform = "" if model.observed else each.name
                    return FrontProxy(
                        each.proxy.lower(), None, f"the network {name} of {service.name}", at, platform
                    )
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
