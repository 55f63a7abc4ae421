"""Traefik's labels, parsed: routers, services and middlewares."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once
from lago_acceptance.model.traefik_rule import hosts, parsed

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
    def syntax(self) -> str:
        """The version of the rule's syntax that its labels ask for: "v2", "v3", or "" for the proxy's own."""
        return labels_of(self.owner).get(f"{_HTTP}routers.{self.name}.rulesyntax", "").lower()

    @property
    def priority(self) -> int:
        """What decides between routers that take the same request: by default the length of the rule."""
        return self.given_priority or len(self.rule)

    @property
    def given_priority(self) -> int:
        """The priority that its labels give, 0 where it follows from the rule."""
        given = labels_of(self.owner).get(f"{_HTTP}routers.{self.name}.priority", "")
        return int(given) if given.isdigit() else 0

    @property
    def hosts(self) -> tuple[str, ...]:
        if (expression := parsed(self.rule)) is not None:
            return tuple(filter(None, hosts(expression)))
        return tuple(
            name.strip(" `'\"").lower()
            for inside in _HOST.findall(self.rule)
            for name in inside.split(",")
            if name.strip(" `'\"")
        )

    def label(self, option: str) -> tuple[str | int, ...]:
        """The YAML path of one of its labels."""
        return label_at(self.owner, f"{_HTTP}routers.{self.name}.{option}")


def listed(text: str) -> tuple[str, ...]:
    """The names of a label that holds several."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


@once
def labels_of(service: Service) -> dict[str, str]:
    """A service's Traefik labels, with names in lower case."""
    return {key.lower(): value for key, value in service.labels.items() if key.lower().startswith("traefik.")}


NETWORK_LABELS = ("traefik.docker.network", "traefik.swarm.network")
"""The labels that name the network on which Traefik finds a service: of its provider for Docker, and for Swarm."""


def network_labels(service: Service) -> dict[str, str]:
    """The labels of a service that name the network on which Traefik finds it, as far as it has any."""
    labels = labels_of(service)
    return {name: labels[name] for name in NETWORK_LABELS if labels.get(name)}


def label_at(service: Service, key: str) -> tuple[str | int, ...]:
    """The YAML path of a label whose name is in lower case here."""
    written = next((each for each in service.labels if each.lower() == key), key)
    return ("services", service.name, "labels", written)


@once
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
                listed(option("entrypoints")),
                option("service"),
                listed(option("middlewares")),
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


class Middleware(msgspec.Struct, frozen=True):
    """A middleware as labels define it: its kinds (Traefik takes one), and their options by name, in lower case."""

    name: str
    owner: Service
    options: dict[str, dict[str, str]]


def middlewares_of(service: Service) -> tuple[Middleware, ...]:
    """The HTTP middlewares that a container defines by its labels, whether Traefik reads them or not."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for key, value in labels_of(service).items():
        if key.startswith(f"{_HTTP}middlewares.") and key.count(".") >= 4:
            name, kind, *option = key.split(".")[3:]
            found.setdefault(name, {}).setdefault(kind, {})[".".join(option)] = value
    return tuple(Middleware(name, service, options) for name, options in found.items())


@once
def middlewares(model: Model) -> dict[str, Middleware]:
    """The middlewares that Traefik has by the labels of a model, by name."""
    return {
        each.name: each
        for service in model.services
        if not disabled(service) and model.starts(service)
        for each in middlewares_of(service)
    }


def by_labels(name: str) -> str:
    """The name, in lower case, of a middleware or service that labels must define; "" for another provider's."""
    bare, _, provider = name.partition("@")
    return bare.lower() if provider.lower() in ("", "docker") and not unknown(bare) else ""


class Step(msgspec.Struct, frozen=True):
    """A middleware that a router's requests pass, by its name; None where no label of the model defines it."""

    name: str
    middleware: Middleware | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it has, none where it isn't known."""
        return tuple(self.middleware.options) if self.middleware else ()

    def option(self, kind: str, name: str) -> str:
        """An option of one of its kinds, "" where it has none of that name."""
        return self.middleware.options.get(kind, {}).get(name, "") if self.middleware else ""


def steps(model: Model, router: LabelRouter) -> list[Step]:
    """The middlewares that a router's requests pass, in their order; a chain is replaced by its parts."""
    defined, left = middlewares(model), list(router.middlewares)
    found: list[Step] = []
    seen: set[str] = set()
    while left:
        written = left.pop(0)
        if written in seen:
            continue
        seen.add(written)
        step = Step(written, defined.get(by_labels(written)))
        parts = listed(step.option("chain", "middlewares"))
        left = [*parts, *left]
        if not parts:
            found.append(step)
    return found


def passed(model: Model, router: LabelRouter) -> dict[str, Middleware]:
    """The middlewares that a router's requests pass, those of chains included; without those of other providers."""
    defined, left = middlewares(model), list(router.middlewares)
    found: dict[str, Middleware] = {}
    while left:
        name = by_labels(left.pop(0))
        if name in defined and name not in found:
            found[name] = defined[name]
            left += listed(defined[name].options.get("chain", {}).get("middlewares", ""))
    return found
