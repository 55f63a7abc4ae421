"""Rules about Traefik's labels: what would be routed where, under which name and certificate."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    disabled,
    enabled,
    labels_of,
    proxy,
    routers,
    services_of,
)
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import all_routers, part, proxy_networks, public

PORTS = {API: "3000", FRONT: "80"}


def _behind_proxy(model: Model, settings: Settings) -> bool:
    names = proxy_networks(model, settings)
    on_network = any(
        model.network_name(key) in names for service in public(model) for key in service.networks
    )
    return (
        on_network or proxy(model, settings).inside or any(labels_of(service) for service in model.services)
    )


_OTHER_PROXY = re.compile(
    r"(^|/)(caddy|nginx|openresty|haproxy|envoy|cloudflared|swag|nginx-proxy-manager|tailscale)\b|/nginx"
)


def _behind_another(model: Model) -> bool:
    """Whether something else than Traefik's labels leads to Lago: the file's own proxy, or the
    names that Coolify, nginx-proxy and caddy-docker-proxy look for.
    """
    if any(labels_of(service) for service in model.services):
        return False
    own = any(
        service.role is None and _OTHER_PROXY.search(service.image.partition("@")[0])
        for service in model.services
    )
    # On a host Coolify has added its labels already: its variables alone don't route anything there.
    names = ("VIRTUAL_HOST", "caddy", *(() if model.observed else ("SERVICE_FQDN_", "SERVICE_URL_")))
    return own or any(
        name.startswith(names)
        for service in public(model)
        for name in (*service.environment, *service.labels)
    )


@rule(phase=3)
def traefik_labels_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and front carry the labels by which Traefik finds them, and say traefik.enable=true.

    Not judged where the file brings another proxy along, where Coolify adds the labels itself, or where labels
    of Caddy or variables of nginx-proxy do what they do.
    """
    if _behind_another(model):
        return
    reached_otherwise = any(port for service in public(model) for port in service.ports)
    for service in public(model):
        labels = labels_of(service)
        if not labels:
            others = any(labels_of(each) for each in public(model))
            if others and service.role == API:
                continue
            if _behind_proxy(model, settings) or not reached_otherwise and not model.observed:
                yield Violation(
                    service=service,
                    at=part(service),
                    problem="it has no labels of Traefik",
                    impact="Traefik doesn't see it: 404 at its public name",
                    fix="add traefik.enable and a router, as in docker-compose.lago.yml",
                )
        elif disabled(service) and (routers(service) or service.role == FRONT):
            yield Violation(
                service=service,
                at=part(service, "labels", "traefik.enable"),
                problem=f"traefik.enable is {labels['traefik.enable']}, which isn't true",
                impact="Traefik leaves it out: 404 at its public name",
                fix='traefik.enable: "true"',
            )
        elif service.labels_for_swarm:
            yield Violation(
                service=service,
                at=part(service, "deploy", "labels"),
                severity=Severity.WARNING,
                problem="its labels are under deploy, where only Swarm reads them",
                impact="brought up by `docker compose` it is unknown to Traefik: 404 at its public name",
                fix="move them to the service's own labels, unless it is deployed to a swarm",
            )
        elif any(".routers." in key for key in labels) and "traefik.enable" not in labels:
            yield Violation(
                service=service,
                at=part(service, "labels"),
                problem="it has routers, but not traefik.enable=true",
                severity=Severity.WARNING,
                impact="a Traefik that exposes only what asks for it doesn't see it: 404 at its public name",
                fix='traefik.enable: "true"',
            )


_RULE_TOKEN = re.compile(r"\s+|(?P<matcher>[A-Za-z]+\([\s`,]*\))|(?P<sign>&&|\|\||[!()])|(?P<other>.)")


def _readable(rule: str) -> bool:
    """Whether a rule is one: matchers of quoted names, joined by && and ||. What the deploy gives isn't judged."""
    bare = re.sub(r"`[^`]*`|\"[^\"]*\"", "`", rule)
    open_brackets, wanted = 0, True
    for found in _RULE_TOKEN.finditer(bare):
        token = found["sign"] or ("matcher" if found["matcher"] else "")
        if found["other"] or token and (token in ("matcher", "!", "(")) is not wanted:
            return unknown(bare)
        open_brackets += (token == "(") - (token == ")")
        wanted = wanted if token in ("", "!", "(", ")") else token != "matcher"
        if open_brackets < 0:
            return False
    return not wanted and not open_brackets


@rule(phase=3)
def no_router_labels(model: Model, settings: Settings) -> Iterator[Violation]:
    """What is shown to Traefik has a router with a rule."""
    for service in public(model):
        mine = routers(service)
        for router in mine:
            if router.rule and not _readable(router.rule):
                yield Violation(
                    service=service,
                    at=router.label("rule"),
                    problem=f"Traefik can't read the rule of router {router.name}",
                    impact="Traefik drops the router: 404 at its public name",
                    fix="write names in backquotes: Host(`...`), and close each bracket",
                )
        if enabled(service) and not any(router.rule for router in mine):
            yield Violation(
                service=service,
                at=part(service, "labels"),
                problem="traefik.enable is true, but no router says which name it answers to",
                impact="Traefik makes up a rule from the container's name: 404 at its public name",
                fix="add traefik.http.routers.<name>.rule: Host(`...`)",
            )


@rule(phase=3)
def api_router_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API has a router where the front has one."""
    fronts = [service for service in model.of_role(FRONT) if routers(service)]
    apis = model.of_role(API)
    for service in apis[:1] if fronts and not any(routers(each) for each in apis) else ():
        if not enabled(service):
            yield Violation(
                service=service,
                at=part(service),
                problem="the front has a router and the API has none",
                impact="the page loads, and everything that it asks the API for fails",
                fix=f"add a router for Host(`{settings.hosts.api}`) to the API",
            )


@rule(phase=3)
def router_service_not_linked(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each router is linked to one service of Traefik.

    A container that defines several services leaves a router without `.service` unlinked, and Traefik drops
    it; a router that names a service which nobody defines is dropped too.
    """
    defined = {name for service in model.services for name in services_of(service)}
    for service in model.services:
        own = services_of(service)
        for router in routers(service):
            if not router.service and len(own) > 1:
                yield Violation(
                    service=service,
                    at=router.label("rule"),
                    problem=f"router {router.name} doesn't say which of {', '.join(own)} it means",
                    impact="Traefik drops it (cannot be linked automatically with multiple Services): 404",
                    fix=f"traefik.http.routers.{router.name}.service: {own[0]}",
                )
            elif (
                router.service
                and "@" not in router.service
                and router.service.lower() not in defined
                and not unknown(router.service)
            ):
                if not own and router.service.lower() in (
                    service.name.lower(),
                    f"{service.name}-{model.project}".lower(),
                ):
                    continue
                yield Violation(
                    service=service,
                    at=router.label("service"),
                    problem=f"router {router.name} names the service {router.service}, which no label defines",
                    impact="Traefik drops the router: 404 at its public name",
                    fix=f"define traefik.http.services.{router.service}.loadbalancer.server.port",
                )


@rule(phase=3)
def router_wrong_port(model: Model, settings: Settings) -> Iterator[Violation]:
    """Traefik talks to the port on which the service listens: 3000 for the API, 80 for the front."""
    for service in public(model):
        wanted = service.value("PORT") or PORTS[API] if service.role == API else PORTS[FRONT]
        for key, value in labels_of(service).items():
            if key.endswith(".loadbalancer.server.port") and value != wanted and not unknown(value):
                yield Violation(
                    service=service,
                    at=part(service, "labels", key),
                    problem=f"Traefik is sent to port {value}; it listens on {wanted}",
                    impact="502 Bad Gateway at its public name",
                    fix=f"{key}: {wanted}",
                )


@rule(phase=3)
def unknown_entrypoint(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routers name entry points that the running Traefik has."""
    known = proxy(model, settings)
    for router in all_routers(model) if known.complete else ():
        strange = [
            name for name in router.entrypoints if name.lower() not in known.entrypoints and not unknown(name)
        ]
        if strange:
            yield Violation(
                service=router.owner,
                at=router.label("entrypoints"),
                problem=f"router {router.name} listens on {', '.join(strange)}; Traefik has "
                f"{', '.join(sorted(known.entrypoints))}",
                impact="Traefik drops the router: 404 at its public name",
                fix=f"entrypoints: {known.https}",
            )


@rule(phase=3)
def duplicate_router(model: Model, settings: Settings) -> Iterator[Violation]:
    """A router's name, and a host on an entry point, belong to one service."""
    names: dict[str, LabelRouter] = {}
    claims: dict[tuple[str, str, str], LabelRouter] = {}
    for service in model.services:
        for router in routers(service):
            first = names.setdefault(router.name, router)
            if first.owner is not service and (first.rule, first.service) != (router.rule, router.service):
                yield Violation(
                    service=service,
                    at=router.label("rule"),
                    problem=f"router {router.name} is defined by {first.owner.name} too, in another way",
                    impact="Traefik drops both (Router defined multiple times with different "
                    "configurations): 404",
                    fix="give each router a name of its own",
                )
            for entrypoint in router.entrypoints or ("every entry point",):
                before = claims.setdefault((router.rule.replace(" ", ""), entrypoint, ""), router)
                if router.rule and before.owner is not service and before.name != router.name:
                    yield Violation(
                        service=service,
                        at=router.label("rule"),
                        problem=f"its router {router.name} has the same rule on {entrypoint} as "
                        f"{before.owner.name}'s {before.name}",
                        impact="Traefik sends requests to one of them, which one is chance",
                        fix="one router per host and entry point",
                    )
