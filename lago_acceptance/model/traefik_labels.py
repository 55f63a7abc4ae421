"""Traefik's labels, parsed: routers and services; and the proxy that reads them."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.roles import PROXY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service

_HOST = re.compile(r"Host\(([^)]*)\)")
_HTTP = "traefik.http."


class LabelRouter(msgspec.Struct, frozen=True):
    """A router as a service's labels define it. ``hosts`` are the names in its rule, in lower case."""

    name: str
    owner: Service
    rule: str
    entrypoints: tuple[str, ...]
    service: str
    middlewares: tuple[str, ...]
    resolver: str
    tls: bool

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(
            name.strip(" `'\"").lower()
            for inside in _HOST.findall(self.rule)
            for name in inside.split(",")
            if name.strip(" `'\"")
        )

    def label(self, option: str) -> tuple[str | int, ...]:
        """The YAML path of one of its labels."""
        return ("services", self.owner.name, "labels", f"{_HTTP}routers.{self.name}.{option}")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def labels_of(service: Service) -> dict[str, str]:
    """A service's Traefik labels, with names in lower case."""
    return {key.lower(): value for key, value in service.labels.items() if key.lower().startswith("traefik.")}


def routers(service: Service) -> tuple[LabelRouter, ...]:
    """The HTTP routers that a service's labels define, in order."""
    labels = labels_of(service)
    names = dict.fromkeys(
        key.split(".")[3] for key in labels if key.startswith(f"{_HTTP}routers.") and key.count(".") >= 4
    )
    found = []
    for name in names:

        def option(suffix: str, name: str = name) -> str:
            return labels.get(f"{_HTTP}routers.{name}.{suffix}", "")

        secured = (
            any(key.startswith(f"{_HTTP}routers.{name}.tls") for key in labels)
            and option("tls").lower() != "false"
        )
        found.append(
            LabelRouter(
                name,
                service,
                option("rule"),
                _listed(option("entrypoints")),
                option("service"),
                _listed(option("middlewares")),
                option("tls.certresolver"),
                secured,
            )
        )
    return tuple(found)


def services_of(service: Service) -> tuple[str, ...]:
    """The Traefik services that a container defines by its labels."""
    return tuple(
        dict.fromkeys(key.split(".")[3] for key in labels_of(service) if key.startswith(f"{_HTTP}services."))
    )


def enabled(service: Service) -> bool:
    """Whether traefik.enable is true."""
    return labels_of(service).get("traefik.enable", "").lower() == "true"


def disabled(service: Service) -> bool:
    """Whether traefik.enable is set to anything but true."""
    value = labels_of(service).get("traefik.enable", "true")
    return value.lower() not in ("true", "1", "t") and not unknown(value)


class ProxySettings(msgspec.Struct, frozen=True):
    """The proxy's entry points and resolvers. ``redirects``: its http entry point redirects by itself.

    ``inside``: the proxy is a service of the model; otherwise it is the one in the settings. ``complete``:
    its entry points are known.
    """

    inside: bool
    http: str
    https: str
    entrypoints: frozenset[str]
    resolvers: frozenset[str]
    redirects: bool
    complete: bool


def proxy(model: Model, settings: Settings) -> ProxySettings:
    """The proxy that reads the labels: the model's own Traefik, or the one in the settings."""
    edge = settings.edge
    for service in model.of_role(PROXY):
        words = [word.lower() for word in (*service.entrypoint, *service.command)]
        words += [
            f"--{key.removeprefix('TRAEFIK_').replace('_', '.')}={value}".lower()
            for key, value in service.environment.items()
            if key.startswith("TRAEFIK_")
        ]
        text = " ".join(words)
        points = dict(re.findall(r"--entrypoints\.([\w-]+)\.address=\S*:(\d+)", text))
        resolvers = frozenset(re.findall(r"--certificatesresolvers\.([\w-]+)\.", text))
        by_port = {port: name for name, port in points.items()}
        return ProxySettings(
            True,
            by_port.get("80", edge.http_entrypoint),
            by_port.get("443", edge.https_entrypoint),
            frozenset(points),
            resolvers,
            # Without entry points among the flags, they are in a file that isn't read.
            "redirections" in text or not points,
            bool(points),
        )
    return ProxySettings(
        False,
        edge.http_entrypoint,
        edge.https_entrypoint,
        frozenset((edge.http_entrypoint, edge.https_entrypoint)),
        frozenset((edge.resolver,)),
        False,
        True,
    )
