"""Rules about the deployment's own Traefik."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import PROXY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_labels import by_labels, disabled, middlewares, passed, routers
from lago_acceptance.model.traefik_proxy import Flag, proxy, static_options
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import all_routers, part, public


@rule(phase=3)
def acme_staging(model: Model, settings: Settings) -> Iterator[Violation]:
    """Certificates come from Let's Encrypt itself, not from its staging CA.

    A resolver that no router uses isn't judged.
    """
    known = proxy(model, settings)
    by_default = {flag.value.lower() for flag in known.flags if flag.name.endswith(".http.tls.certresolver")}
    used = {router.resolver.lower() for router in all_routers(model) if router.resolver} | by_default
    for service in model.of_role(PROXY):
        for flag in static_options(service, model):
            section, _, name = flag.name.removesuffix(".acme.caserver").partition(".")
            if (
                section == "certificatesresolvers"
                and flag.name.endswith(".acme.caserver")
                and "acme-staging" in flag.value.lower()
                and (name in used or any(unknown(each) for each in used) and len(known.resolvers) == 1)
            ):
                yield Violation(
                    service=service,
                    at=flag.at,
                    problem=f"the resolver {name} gets its certificates from Let's Encrypt's staging CA",
                    impact="no browser and no program trusts them: the page and every API call fail",
                    fix="remove caServer, and delete acme.json: Traefik keeps the certificates that it has",
                )


def _dashboard_port(flags: tuple[Flag, ...]) -> int:
    address = next((flag.value for flag in flags if flag.name == "entrypoints.traefik.address"), ":8080")
    port = address.rpartition(":")[2].partition("/")[0]
    return int(port) if port.isdigit() else 8080


def _published(service: Service, port: int) -> bool:
    return service.network_mode == "host" or any(
        each.target == port and not each.loopback for each in service.ports
    )


@rule(phase=3, severity=Severity.WARNING)
def proxy_dashboard_open(model: Model, settings: Settings) -> Iterator[Violation]:
    """Traefik's dashboard and API are off, or behind a login.

    They show every host name, route and middleware to whoever asks. `api.insecure` serves them on port 8080 without a login:
    an error where that port is published.
    """
    for service in model.of_role(PROXY):
        flags = tuple(static_options(service, model))
        port = _dashboard_port(flags)
        for flag in flags:
            if flag.name == "api.insecure" and flag.value.lower() in ("true", "1", "t"):
                published = _published(service, port)
                yield Violation(
                    service=service,
                    at=flag.at,
                    severity=Severity.ERROR if published else None,
                    problem=f"api.insecure serves Traefik's dashboard and API on port {port} without a login",
                    impact=("the whole internet" if published else "every container on its networks")
                    + " can read all routes, middlewares and the health of every service",
                    fix="remove api.insecure"
                    + (f" and the published port {port}" if published else "")
                    + "; for the dashboard, use a router to api@internal with a basicauth middleware",
                )
                break
    known = middlewares(model)
    for service in model.services:
        for router in routers(service) if not disabled(service) else ():
            if router.service.lower() not in ("api@internal", "dashboard@internal") or not router.rule:
                continue
            elsewhere = [name for name in router.middlewares if by_labels(name) not in known]
            guards = {
                "basicauth",
                "digestauth",
                "forwardauth",
                "ipallowlist",
                "ipwhitelist",
                "plugin",
                "chain",
            }
            kinds = {kind for each in passed(model, router).values() for kind in each.options}
            if not elsewhere and not kinds & guards and "ClientIP" not in router.rule:
                yield Violation(
                    service=service,
                    at=router.label("service"),
                    problem=f"router {router.name} shows Traefik's dashboard without a login",
                    impact="the whole internet can read all routes, middlewares and the health of every service",
                    fix=f"add a basicauth middleware: traefik.http.routers.{router.name}.middlewares",
                )


_CONSTRAINT = re.compile(r"\s*(!?)Label\(\s*[`\"']([^`\"']+)[`\"']\s*,\s*[`\"']([^`\"']*)[`\"']\s*\)\s*")


@rule(phase=3)
def traefik_constraint_unmet(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and front have the label that the deployment's own Traefik asks for (providers.docker.constraints)."""
    asked = proxy(model, settings).option("providers.docker.constraints")
    found = [_CONSTRAINT.fullmatch(each) for each in asked.split("&&")] if asked else []
    for service in public(model):
        if not routers(service) or disabled(service):
            continue
        for each in found:
            if each is None or unknown(each[0]):
                continue
            name, wanted = each[2], each[3]
            if (service.labels.get(name) == wanted) is bool(each[1]):
                yield Violation(
                    service=service,
                    at=part(service, "labels"),
                    problem=f"Traefik only reads containers {'without' if each[1] else 'with'} the label {name}={wanted}",
                    impact="Traefik ignores it: 404 at its public name",
                    fix=f"{'remove' if each[1] else 'add'} the label {name}: {wanted}",
                )
