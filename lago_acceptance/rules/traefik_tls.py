"""Rules about certificates, redirects and public names in Traefik's labels."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT, PROXY
from lago_acceptance.core.settings import TRAEFIK, Settings
from lago_acceptance.core.urls import public_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    by_labels,
    disabled,
    labels_of,
    listed,
    middlewares_of,
    routers,
)
from lago_acceptance.model.traefik_proxy import ProxySettings, proxy
from lago_acceptance.model.way_in import Scope, scope_of
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import all_routers, known_hosts, left_blank, part, public, variable
from lago_acceptance.rules.helpers.hosts import url_of
from lago_acceptance.rules.helpers.remedies import resolver_name


@rule(phase=3)
def wrong_certresolver(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routers only use certificate resolvers that Traefik has."""
    known = proxy(model, settings)
    for router in all_routers(model):
        if (
            router.resolver
            and (router.resolver.lower() if known.inside else router.resolver) not in known.resolvers
            and not unknown(router.resolver)
            and known.resolvers
        ):
            yield Violation(
                service=router.owner,
                at=router.label("tls.certresolver"),
                problem=f"router {router.name} uses the resolver {router.resolver}; Traefik has "
                f"{', '.join(sorted(known.resolvers))}",
                impact="Traefik serves its self-signed default certificate: browsers reject it",
                fix=f"set traefik.http.routers.{router.name}.tls.certresolver: {min(known.resolvers)}",
            )


def _https(router: LabelRouter, entrypoint: str) -> bool:
    return entrypoint in [name.lower() for name in router.entrypoints] or (
        not router.entrypoints and router.tls
    )


def _plain_only(model: Model, settings: Settings) -> Iterator[Violation]:
    """The services whose routers all listen on the http entry point only."""
    known = proxy(model, settings)
    every = [router for service in model.services for router in routers(service)]
    secured = {host for router in every if _https(router, known.https) for host in router.hosts}
    for service in public(model):
        mine = [router for router in routers(service) if router.rule and not disabled(service)]
        unsecured = [router for router in mine if router.hosts and not set(router.hosts) & secured]
        if (
            unsecured
            and len(unsecured) == len(mine)
            and all([point.lower() for point in router.entrypoints] == [known.http] for router in mine)
        ):
            yield Violation(
                service=service,
                at=unsecured[0].label("rule"),
                problem=f"its routers only listen on {known.http}: nothing answers to "
                f"https://{unsecured[0].hosts[0]}",
                impact="404 at its https URL, which browsers try first",
                fix=f"add a router on {known.https} with tls.certresolver: {resolver_name(model, settings)}",
            )


@rule(phase=3, follows=("traefik-labels-missing", "unknown-entrypoint"))
def router_tls_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routers on the https entry point have TLS and a certificate resolver.

    Not judged if the deployment has a Traefik of its own, or one that the settings don't describe: it may set both for
    the whole entry point.
    """
    known = proxy(model, settings)
    if known.inside or not known.complete or front_proxy(model, settings).kind != TRAEFIK:
        return
    yield from _plain_only(model, settings)
    for router in all_routers(model):
        if not _https(router, known.https):
            continue
        if not router.tls:
            yield Violation(
                service=router.owner,
                at=router.label("entrypoints"),
                problem=f"router {router.name} listens on {known.https} without TLS",
                impact="404 at its https URL, which browsers try first",
                fix=f'set traefik.http.routers.{router.name}.tls: "true"',
            )
        elif not router.resolver:
            key = f"traefik.http.routers.{router.name}.tls.domains"
            if not any(label.startswith(key) for label in labels_of(router.owner)):
                yield Violation(
                    service=router.owner,
                    at=router.label("tls"),
                    problem=f"router {router.name} has TLS, but no certificate resolver",
                    severity=Severity.WARNING,
                    impact="Traefik serves its self-signed default certificate, unless it has another one "
                    "for that name",
                    fix=f"set traefik.http.routers.{router.name}.tls.certresolver: {resolver_name(model, settings)}",
                )


@rule(
    phase=3,
    severity=Severity.WARNING,
    follows=("traefik-labels-missing", "unknown-entrypoint", "middleware-undefined"),
)
def http_not_redirected(model: Model, settings: Settings) -> Iterator[Violation]:
    """http redirects to https, by labels of API and front.

    Traefik's http entry point doesn't redirect by itself, unless the deployment's own Traefik is set up to.
    """
    known = proxy(model, settings)
    every = [router for service in model.services for router in routers(service)]
    if known.redirects or front_proxy(model, settings).kind != TRAEFIK:
        return
    for service in public(model):
        secured = [router for router in routers(service) if _https(router, known.https) and router.rule]
        missing = sorted(
            {host for router in secured for host in router.hosts} - _redirected(model, every, known.http)
        )
        missing = [host for host in missing if not left_blank(model, host)]
        if secured and missing and not known.http:
            yield _without_port_80(model, known, missing[0])
            return
        if secured and missing:
            yield Violation(
                service=service,
                at=secured[0].label("rule"),
                problem=f"no router redirects http://{missing[0]} to https",
                impact="a URL without https answers 404 or an unencrypted page",
                fix=f"add a router on {known.http} with a redirectscheme middleware",
            )


def _without_port_80(model: Model, known: ProxySettings, host: str) -> Violation:
    """Where the deployment's own Traefik has no entry point for port 80."""
    traefik = model.of_role(PROXY)[0]
    return Violation(
        service=traefik,
        at=part(traefik, "command" if traefik.command else "image"),
        problem=f"Traefik has no entry point for port 80 (it has {', '.join(sorted(known.entrypoints))}), so nothing redirects "
        f"http://{host} to https",
        impact="connection refused for a URL without https",
        fix="give it one that redirects: --entrypoints.NAME.address=:80 and "
        f"--entrypoints.NAME.http.redirections.entrypoint.to={known.https}, and publish 80:80",
    )


def _redirected(model: Model, every: list[LabelRouter], entrypoint: str) -> set[str]:
    defined = {each.name: each for service in model.services for each in middlewares_of(service)}
    redirecting = {
        name for name, each in defined.items() if {"redirectscheme", "redirectregex"} & each.options.keys()
    }
    for name, each in defined.items():
        chained = {by_labels(part) for part in listed(each.options.get("chain", {}).get("middlewares", ""))}
        if chained & redirecting:
            redirecting.add(name)
    hosts: set[str] = set()
    for router in every:
        names = [name.partition("@") for name in router.middlewares]
        redirects = any(
            name.lower() in redirecting or (at and "docker" not in provider) for name, at, provider in names
        )
        if redirects and (entrypoint in router.entrypoints or not router.entrypoints):
            hosts |= set(router.hosts)
            if "hostregexp" in router.rule.lower() or "pathprefix(`/`)" in router.rule.lower().replace(
                " ", ""
            ):
                hosts |= {host for other in every for host in other.hosts}
    return hosts


@rule(phase=3, follows=("api-url-not-routed",))
def wrong_domain(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routers answer to the hosts in Lago's URLs.

    If the hosts in LAGO_API_URL, API_URL and LAGO_FRONT_URL have no router, browsers and links get 404.
    """
    for role, names in ((API, ("LAGO_API_URL",)), (FRONT, ("LAGO_FRONT_URL",))):
        served = [
            host
            for service in model.of_role(role)
            for router in routers(service)
            for host in known_hosts(router)
        ]
        holders = [(service, name) for service in model.of_role(API) for name in names]
        if role == API:
            holders += [(service, "API_URL") for service in model.of_role(FRONT)]
        everything = [
            host for service in model.services for router in routers(service) for host in known_hosts(router)
        ]
        for service, name in holders:
            url = url_of(service, name)
            if (
                url
                and url.host
                and served
                and not unknown(url.host)
                and not _told_as_narrow(model, service, name)
                and url.host.lower() not in served
            ):
                if any(
                    router.rule.startswith("HostRegexp")
                    for each in model.of_role(role)
                    for router in routers(each)
                ):
                    continue
                if (
                    url.host.lower() in everything
                    and "/" in url.path.strip("/") + "/"
                    and url.path.strip("/")
                ):
                    continue
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} has the host {url.host}, but the {role}'s routers answer to "
                    f"{', '.join(sorted(set(served)))}{_first_rule(model, role)}",
                    impact="404 at the host in the URL, and no request for the router",
                    fix="set the URL and the router's rule from one variable",
                )


def _told_as_narrow(model: Model, service: Service, name: str) -> bool:
    """Whether a URL is one that browsers elsewhere can't use: that is said as what it is."""
    url = public_url(service.value(name))
    return url is not None and scope_of(model, url) < Scope.PUBLIC


def _first_rule(model: Model, role: str) -> str:
    """The line of the first router's rule, where it is known."""
    rules = [
        router.label("rule")
        for each in model.of_role(role)
        for router in routers(each)
        if known_hosts(router)
    ]
    path, line = model.source.place(rules[0]) if model.source and rules else ("", None)
    return f" ({path}:{line})" if line else ""
