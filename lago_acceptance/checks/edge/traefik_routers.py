"""What Traefik's own API says about its routers and services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from lago_acceptance.checks.edge.dns_records import HTTP_ONLY
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import API, FRONT, GATEWAY, LABEL
from lago_acceptance.core.settings import NO_PROXY, OTHER, TRAEFIK, EdgeSettings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.model.traefik_rule import parsed, takes

# Where the images listen (docs/lago-facts.md, sections 1.1 and 4; the gateway's own documentation).
PORTS = {API: 3000, FRONT: 80, GATEWAY: 8000}

Router = dict[str, Any]


def must_be_traefiks(proxy: str) -> None:
    """Unknown where the proxy, one of ``settings.PROXIES``, is not Traefik: no other has an API that tells its routers."""
    if proxy == NO_PROXY:
        raise Unknown(f"routers not judged: {HTTP_ONLY}", why=f"routers not judged: {HTTP_ONLY}")
    if proxy != TRAEFIK:
        raise Unknown(
            f"routers not judged: the proxy is {words(proxy).name if proxy != OTHER else 'not Traefik'}",
            why=f"routers not judged: the proxy is {words(proxy).name if proxy != OTHER else 'not Traefik'}",
        )


class TraefikApi:
    """The Traefik that serves a deployment, and what its API says. Unknown where none can be asked."""

    def __init__(self, facts: Facts):
        everyone = (*facts.containers, *facts.others)
        # A container that is down still has its networks, without addresses.
        networks = {network for each in facts.of_role(API, FRONT) for network in each.service.networks}
        traefiks = [each for each in everyone if each.id in facts.proxies]
        near = [each for each in traefiks if networks & each.addresses.keys()] or traefiks
        if not near:
            raise Unknown(
                "what the proxy does: no Traefik runs on this host", why="no Traefik runs on this host"
            )
        if len(near) > 1 and not networks & near[0].addresses.keys():
            raise Unknown(
                f"what the proxy does: {len(near)} Traefiks run on this host, and none shares a network with the "
                "deployment",
                why="several Traefiks run on this host, and none shares a network with the deployment",
            )
        answers = [(each, answer) for each in near if (answer := facts.proxies[each.id])]
        if not answers:
            raise Unknown(
                f"what the proxy does: the API of {near[0].name} does not answer inside its container "
                "(api.insecure or an entrypoint named traefik on port 8080 is needed for it)",
                why="Traefik's API does not answer inside its container",
                fix="start Traefik with --api.insecure=true, or an entrypoint named traefik on port 8080",
            )
        self.container: Container = answers[0][0]
        self.containers = everyone
        self.routers: list[Router] = [router for _, answer in answers for router in answer["routers"]]
        services = [service for _, answer in answers for service in answer["services"]]
        self.services = {service["name"]: service for service in services}

    def naming(self, host: str) -> list[Router]:
        """The routers whose rule contains a host."""
        word = re.compile(rf"(?<![\w.-]){re.escape(host.lower())}(?![\w.-])")
        return [router for router in self.routers if word.search(router.get("rule", "").lower())]

    def serving(self, url: PublicUrl, entrypoint: str) -> list[Router]:
        """The enabled routers that take a URL on an entrypoint: every path of its host, or what comes below its path."""
        there = [
            router
            for router in self.naming(url.host)
            if entrypoint in (router.get("using") or []) and router.get("status") != "disabled"
        ]
        if not url.path:
            return [router for router in there if _whole_host(router)]
        taking = [router for router in there if _takes(router, url)]
        first = max(map(_priority, taking), default=0)
        return [router for router in taking if _priority(router) == first]

    def redirects_all(self, entrypoint: str) -> bool:
        """Whether the entrypoint itself redirects: Traefik makes an internal router for that."""
        return any(
            router["name"].endswith("@internal")
            and "-to-" in router["name"]
            and entrypoint in (router.get("using") or [])
            for router in self.routers
        )

    def servers(self, router: Router) -> list[str]:
        """The URLs that a router's service sends requests to."""
        name = router.get("service", "")
        service = self.services.get(name) or self.services.get(f"{name}@{router.get('provider', '')}") or {}
        return [
            each["url"]
            for each in (service.get("loadBalancer") or {}).get("servers") or []
            if each.get("url")
        ]


@registry.check(phase=3, errors={"router-broken": "Traefik reports no error in a router."})
def have_no_errors(facts: Facts, role: str, url: PublicUrl) -> list[Finding]:
    """Traefik reports no error in any router of the URL's host."""
    return [
        Finding(
            id="router-broken",
            role=role,
            place=Place(router["name"]),
            problem=f"Traefik reports an error in this router of {url.host}: {'; '.join(router['error'])}",
            impact="it is disabled: requests get 404, or Traefik's default certificate"
            if router.get("status") == "disabled"
            else "part of it does not work",
            fix="correct the label (or file) that the error names: entrypoints, service and middlewares must exist "
            "under exactly that name",
        )
        for router in TraefikApi(facts).naming(url.host)
        if router.get("error")
    ]


@registry.check(
    phase=3,
    errors={
        "router-duplicate": "Only one router in Traefik takes a host and entrypoint.",
        "router-missing": "An enabled router in Traefik takes the host.",
    },
)
def are_one_each(facts: Facts, role: str, url: PublicUrl, edge: EdgeSettings) -> list[Finding]:
    """On each entrypoint that the deployment is known to have, exactly one enabled router takes the URL."""
    proxy = TraefikApi(facts)
    both = (edge.http_entrypoint, edge.https_entrypoint)
    return [
        finding
        for entrypoint in filter(None, both if url.scheme == "https" else both[:1])
        for finding in _count(proxy, role, url, entrypoint, url.scheme == "https" and entrypoint == both[0])
    ]


@registry.check(phase=3, errors={"router-resolver": "The https router uses Traefik's certificate resolver."})
def have_the_resolver(facts: Facts, role: str, url: PublicUrl, edge: EdgeSettings) -> list[Finding]:
    """The https router uses the certificate resolver that Traefik is configured with."""
    findings = []
    if url.scheme != "https":
        return []
    for router in TraefikApi(facts).serving(url, edge.https_entrypoint):
        resolver = (router.get("tls") or {}).get("certResolver")
        if resolver == edge.resolver:
            continue
        has = (
            f"uses the certificate resolver {resolver!r} instead of {edge.resolver!r}"
            if resolver
            else ("has no certificate resolver" if "tls" in router else "has no TLS")
        )
        findings.append(
            Finding(
                id="router-resolver",
                role=role,
                place=Place(router["name"]),
                problem=f"the https router of {_where(url)} {has}",
                impact="no certificate is issued or renewed, and Traefik serves its default one; its API shows no error",
                fix="set "
                f"traefik.http.routers.{router['name'].partition('@')[0]}.tls.certresolver={edge.resolver}",
            )
        )
    return findings


@registry.check(
    phase=3,
    errors={
        "router-leads-elsewhere": "The router in Traefik points to the right container, port and network."
    },
)
def point_to_the_service(facts: Facts, role: str, url: PublicUrl, edge: EdgeSettings) -> list[Finding]:
    """The router of the URL sends requests to the role's container, at its port, on a network that Traefik is on."""
    proxy = TraefikApi(facts)
    known = [each for each in proxy.containers if each.role == role]
    if not known and role == GATEWAY:
        raise Unknown(
            f"where {url.host} is routed to: no container on this host is known to be the gateway",
            why="no container can be identified as the gateway",
            fix=f"give the gateway's container the label {LABEL}={GATEWAY}",
        )
    findings = []
    for router in proxy.serving(
        url, edge.https_entrypoint if url.scheme == "https" else edge.http_entrypoint
    ):
        servers = proxy.servers(router)
        for problem in (
            [_why_wrong(proxy, role, each) for each in servers] if servers else ["its service has no servers"]
        ):
            if problem:
                findings.append(
                    Finding(
                        id="router-leads-elsewhere",
                        role=role,
                        place=Place(router["name"]),
                        problem=f"the router of {_where(url)} does not send requests to the {role}: {problem}",
                        impact="requests get 502 or 504, or another service answers them",
                        fix=f"point the router's .service to a service with loadbalancer.server.port={PORTS[role]}, "
                        "and set traefik.docker.network to the network that Traefik is on",
                    )
                )
    return findings


def _whole_host(router: Router) -> bool:
    return set(re.findall(r"([A-Za-z]+)\(", router.get("rule", ""))) <= {"Host"}


def _takes(router: Router, url: PublicUrl) -> bool:
    rule = parsed(router.get("rule", ""))
    return rule is not None and takes(rule, url.host, f"{url.path}/", "GET") is not False


def _priority(router: Router) -> int:
    return router.get("priority") or len(router.get("rule", ""))


def _where(url: PublicUrl) -> str:
    return url.place + url.path


def _count(proxy: TraefikApi, role: str, url: PublicUrl, entrypoint: str, plain: bool) -> Iterator[Finding]:
    serving, where = proxy.serving(url, entrypoint), _where(url)
    if len(serving) > 1:
        names = ", ".join(router["name"] for router in serving)
        yield Finding(
            id="router-duplicate",
            role=role,
            place=Place(where),
            problem=f"{len(serving)} routers take {where} on {entrypoint}: {names}",
            impact="which one wins depends on rule lengths and names; a second stack may receive the requests",
            fix="keep one; look for a second project with the same labels, and for a router that a hosting panel made for this "
            "name",
        )
    if serving or (plain and proxy.redirects_all(entrypoint)):
        return
    others = [
        f"{router['name']} (on {', '.join(router.get('entryPoints') or ['nothing'])}, {router.get('status')})"
        for router in proxy.naming(url.host)
    ]
    yield Finding(
        id="router-missing",
        role=role,
        place=Place(where),
        problem=f"no enabled router takes {where} on {entrypoint}"
        + (f"; these routers name it: {', '.join(others)}" if others else ""),
        impact="requests get Traefik's 404, or another service"
        + ("" if plain else " and its default certificate"),
        fix="give the container a router with this Host (and path) and this entrypoint, and .service if it has several services; "
        "check that it is healthy: Traefik drops unhealthy containers, and routers that it can't assign to a "
        "service, without an error in its API",
    )


def _why_wrong(proxy: TraefikApi, role: str, url: str) -> str | None:
    parts = urlsplit(url)
    target, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    owners = [each for each in proxy.containers if target in {*each.addresses.values(), *each.names}]
    ours = [each for each in owners if each.role == role]
    if not owners:
        return f"{url} is no container on this host"
    if not ours:
        return f"{url} is {owners[0].name} ({owners[0].role or 'no part of Lago'})"
    shared = {network for each in ours for network in each.addresses if network in proxy.container.addresses}
    by_address = [
        network for each in ours for network, address in each.addresses.items() if address == target
    ]
    if not shared or (by_address and not set(by_address) & shared):
        return f"{url} is on {', '.join(by_address) or 'a network'}, which {proxy.container.name} is not on"
    if port != PORTS[role]:
        return f"{url} has port {port}, while the {role} listens on {PORTS[role]}"
    return None
