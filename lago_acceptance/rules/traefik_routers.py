"""Rules about the routers and services in Traefik's labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import TRAEFIK, Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.ports import listens_on
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    by_labels,
    disabled,
    enabled,
    label_at,
    labels_of,
    routers,
    services_of,
)
from lago_acceptance.model.traefik_proxy import proxy
from lago_acceptance.model.traefik_rule import Unreadable, parse
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import all_routers, part, public
from lago_acceptance.rules.helpers.remedies import api_host


def _for_swarm(model: Model) -> bool:
    """Whether the file is one for Swarm: all its labels for Traefik are where only Swarm reads them."""
    labelled = [service for service in model.services if labels_of(service)]
    return bool(labelled) and all(service.labels_for_swarm for service in labelled)


@rule(phase=3)
def traefik_labels_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and front have Traefik labels, with traefik.enable=true, where Traefik routes to them by labels.

    Not judged behind another proxy, nor where a platform such as Coolify or Dokploy adds the labels when it deploys.
    """
    front = front_proxy(model, settings)
    labelled = [service for service in public(model) if labels_of(service)]
    if front.kind != TRAEFIK or front.platform and not labelled:
        return
    for service in public(model):
        labels = labels_of(service)
        if not labels:
            # The API's part: api-router-missing. Another router of the file may serve a part, by a file provider.
            if labelled and service.role == API or _by_files(model, settings):
                continue
            yield Violation(
                service=service,
                at=part(service),
                problem="it has no Traefik labels",
                impact="Traefik ignores it: 404 at its public name",
                fix='add the labels traefik.enable: "true" and traefik.http.routers.<name>.rule: Host(`...`)',
            )
        elif disabled(service) and (routers(service) or service.role == FRONT):
            yield Violation(
                service=service,
                at=label_at(service, "traefik.enable"),
                problem=f"traefik.enable is {labels['traefik.enable']}, not true",
                impact="Traefik ignores it: 404 at its public name",
                fix='set traefik.enable: "true"',
            )
        elif service.labels_for_swarm:
            if _for_swarm(model):
                continue
            yield Violation(
                service=service,
                at=part(service, "deploy", "labels"),
                severity=Severity.WARNING,
                problem="its labels are under `deploy`, where only Swarm reads them; those of other services are not",
                impact="with `docker compose` the container gets no labels and Traefik ignores it: 404 at "
                "its public name",
                fix="move them to the service's own `labels`, unless you deploy to a swarm",
            )
        elif any(".routers." in key for key in labels) and "traefik.enable" not in labels:
            known = proxy(model, settings)
            exposed = known.option("providers.docker.exposedbydefault").lower()
            if known.flags and exposed != "false":
                continue
            yield Violation(
                service=service,
                at=part(service, "labels"),
                problem="it has routers, but no traefik.enable=true",
                severity=None if exposed else Severity.WARNING,
                impact="with exposedByDefault=false Traefik ignores it: 404 at its public name",
                fix='set traefik.enable: "true"',
            )


def _by_files(model: Model, settings: Settings) -> bool:
    """Whether the file's own Traefik may take its routers from files, which aren't read, and not from labels."""
    known = proxy(model, settings)
    names = {flag.name for flag in known.flags}
    files = any(name.startswith(("providers.file", "configfile")) for name in names)
    return files and not any(name.startswith(("providers.docker", "providers.swarm")) for name in names)


def _refused(rule: str) -> str:
    """Why Traefik can't parse a rule, "" if it can. What the deploy sets isn't judged."""
    try:
        parse(rule)
    except Unreadable as reason:
        return "" if unknown(re.sub(r"`[^`]*`|\"[^\"]*\"", "", rule)) else str(reason)
    return ""


@rule(phase=3)
def no_router_labels(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every service that Traefik sees has a router with a valid rule."""
    for service in public(model):
        mine = routers(service)
        for router in mine:
            if router.rule and (reason := _refused(router.rule)):
                yield Violation(
                    service=service,
                    at=router.label("rule"),
                    problem=f"Traefik can't parse the rule of router {router.name}: {reason}",
                    impact="Traefik drops the router: 404 at its public name",
                    fix="quote names with backticks, as in Host(`...`), and close every parenthesis",
                )
        by_default = proxy(model, settings).option("providers.docker.defaultrule")
        if enabled(service) and not by_default and not any(router.rule for router in mine):
            yield Violation(
                service=service,
                at=part(service, "labels"),
                problem="traefik.enable is true, but it has no router with a rule",
                impact="Traefik generates a rule from the container's name: 404 at its public name",
                fix="add traefik.http.routers.<name>.rule: Host(`...`)",
            )


@rule(phase=3)
def api_router_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API has a router if the front has one.

    Not judged where the front's nginx has a configuration of its own, which may pass the API's paths on.
    """
    if any(mount.target.startswith("/etc/nginx") for each in model.of_role(FRONT) for mount in each.mounts):
        return
    fronts = [service for service in model.of_role(FRONT) if routers(service)]
    apis = model.of_role(API)
    for service in apis[:1] if fronts and not any(routers(each) for each in apis) else ():
        if not enabled(service):
            yield Violation(
                service=service,
                at=part(service),
                problem="the front has a router and the API has none",
                impact="the page loads, but every call to the API fails",
                fix=f"add a router for Host(`{api_host(model, settings)}`) to the API",
            )


@rule(phase=3)
def router_service_not_linked(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every router belongs to exactly one Traefik service.

    If a container defines several services, a router without `.service` can't be linked and Traefik drops it.
    It also drops a router whose service isn't defined.
    """
    defined = {name for service in model.services for name in services_of(service)}
    for service in model.services:
        own = services_of(service)
        for router in routers(service):
            if not router.service and len(own) > 1:
                yield Violation(
                    service=service,
                    at=router.label("rule"),
                    problem=f"router {router.name} doesn't say which service it uses: {', '.join(own)}",
                    impact="Traefik drops it (cannot be linked automatically with multiple Services): 404",
                    fix=f"add traefik.http.routers.{router.name}.service: {own[0]}",
                )
            elif (name := by_labels(router.service)) and name not in defined:
                if not own and name in (
                    service.name.lower(),
                    f"{service.name}-{model.project}".lower(),
                ):
                    continue
                yield Violation(
                    service=service,
                    at=router.label("service"),
                    problem=f"router {router.name} uses the service {router.service}, which no label defines",
                    impact="Traefik drops the router: 404 at its public name",
                    fix=f"define traefik.http.services.{router.service.partition('@')[0]}.loadbalancer.server.port",
                )


@rule(phase=3, follows=("router-service-not-linked",))
def router_wrong_port(model: Model, settings: Settings) -> Iterator[Violation]:
    """Traefik uses the port that the service listens on: by default 3000 for the API, 80 for the front."""
    for service in public(model):
        wanted = listens_on(service, model)
        for key, value in labels_of(service).items() if wanted else ():
            if key.endswith(".loadbalancer.server.port") and value != str(wanted) and not unknown(value):
                yield Violation(
                    service=service,
                    at=label_at(service, key),
                    problem=f"Traefik connects to port {value}, but it listens on {wanted}",
                    impact="502 Bad Gateway at its public name",
                    fix=f"set {key}: {wanted}",
                )


@rule(phase=3)
def unknown_entrypoint(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routers only use entry points that Traefik has."""
    known = proxy(model, settings)
    for router in all_routers(model) if known.complete else ():
        undefined = [
            name
            for name in router.entrypoints
            # Flags and variables make the names of entry points lower case.
            if (name.lower() if known.inside else name) not in known.entrypoints and not unknown(name)
        ]
        if undefined:
            yield Violation(
                service=router.owner,
                at=router.label("entrypoints"),
                problem=f"router {router.name} listens on {', '.join(undefined)}; Traefik has "
                f"{', '.join(sorted(known.entrypoints))}",
                impact="Traefik drops the router: 404 at its public name",
                fix=f"set traefik.http.routers.{router.name}.entrypoints: {known.https or min(known.entrypoints)}",
            )


@rule(phase=3)
def duplicate_router(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every router name, and every rule on an entry point, belongs to one service."""
    names: dict[str, LabelRouter] = {}
    claims: dict[tuple[str, str, str], LabelRouter] = {}
    for service in model.services:
        for router in routers(service):
            first = names.setdefault(router.name, router)
            if first.owner is not service and (first.rule, first.service) != (router.rule, router.service):
                yield Violation(
                    service=service,
                    at=router.label("rule"),
                    problem=f"router {router.name} is also defined by {first.owner.name}, differently",
                    impact="Traefik drops both (Router defined multiple times with different "
                    "configurations): 404",
                    fix="rename one of the two routers",
                )
            for entrypoint in router.entrypoints or ("every entry point",):
                before = claims.setdefault((router.rule.replace(" ", ""), entrypoint, ""), router)
                if router.rule and before.owner is not service and before.name != router.name:
                    yield Violation(
                        service=service,
                        at=router.label("rule"),
                        problem=f"its router {router.name} has the same rule on {entrypoint} as "
                        f"{before.owner.name}'s {before.name}",
                        impact="Traefik picks one of the two at random",
                        fix="keep one router per host and entry point",
                    )
