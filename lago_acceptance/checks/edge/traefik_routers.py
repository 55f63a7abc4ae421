"""Routers: what Traefik's own API says of them and of its services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.settings import EdgeSettings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts

# Where the images listen (docs/lago-facts.md, sections 1.1 and 4; the gateway's own documentation).
PORTS = {API: 3000, FRONT: 80, GATEWAY: 8000}

Router = dict[str, Any]


class TraefikApi:
    """The Traefik that serves a deployment, and what it says. Unknown where none can be asked."""

    def __init__(self, facts: Facts):
        everyone = (*facts.containers, *facts.others)
        # A container that is down still has its networks, without addresses.
        networks = {network for each in facts.of_role(API, FRONT) for network in each.service.networks}
        traefiks = [each for each in everyone if each.id in facts.proxies]
        near = [each for each in traefiks if networks & each.addresses.keys()] or traefiks
        if not near:
            raise Unknown("what the proxy does: no Traefik runs on this host")
        if len(near) > 1 and not networks & near[0].addresses.keys():
            raise Unknown(
                f"what the proxy does: {len(near)} Traefiks run on this host, and none shares a network "
                "with the "
                "deployment"
            )
        told = [each for each in near if facts.proxies[each.id]]
        if not told:
            raise Unknown(
                f"what the proxy does: the API of {near[0].name} does not answer inside its container "
                "(api.insecure or an entrypoint named traefik on port 8080 is needed for it)"
            )
        self.container: Container = told[0]
        self.containers = everyone
        self.routers: list[Router] = [router for each in told for router in facts.proxies[each.id]["routers"]]
        services = [service for each in told for service in facts.proxies[each.id]["services"]]
        self.services = {service["name"]: service for service in services}

    def naming(self, host: str) -> list[Router]:
        """The routers in whose rule a host stands."""
        word = re.compile(rf"(?<![\w.-]){re.escape(host.lower())}(?![\w.-])")
        return [router for router in self.routers if word.search(router.get("rule", "").lower())]

    def serving(self, host: str, entrypoint: str) -> list[Router]:
        """The enabled routers that take every path of a host on an entrypoint."""
        return [
            router
            for router in self.naming(host)
            if entrypoint in (router.get("using") or [])
            and router.get("status") != "disabled"
            and _whole_host(router)
        ]

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


def are_sound(facts: Facts, role: str, host: str) -> list[Finding]:
    """Traefik finds no fault with any router of the host."""
    return [
        Finding(
            id="router-broken",
            role=role,
            place=Place(router["name"]),
            problem=f"Traefik says of this router of {host}: {'; '.join(router['error'])}",
            impact="it is disabled: requests get 404, or Traefik's default certificate"
            if router.get("status") == "disabled"
            else "part of it does not work",
            fix="mend the label (or file) that this names: entrypoints, service, middlewares and rule "
            "must exist as spelt there",
        )
        for router in TraefikApi(facts).naming(host)
        if router.get("error")
    ]


def are_one_each(facts: Facts, role: str, host: str, edge: EdgeSettings) -> list[Finding]:
    """One enabled router per entrypoint takes the host."""
    proxy = TraefikApi(facts)
    return [
        finding
        for entrypoint in (edge.http_entrypoint, edge.https_entrypoint)
        for finding in _count(proxy, role, host, entrypoint, entrypoint == edge.http_entrypoint)
    ]


def have_the_resolver(facts: Facts, role: str, host: str, edge: EdgeSettings) -> list[Finding]:
    """The https router gets its certificate from the resolver that Traefik has."""
    findings = []
    for router in TraefikApi(facts).serving(host, edge.https_entrypoint):
        resolver = (router.get("tls") or {}).get("certResolver")
        if resolver == edge.resolver:
            continue
        has = (
            f"asks the resolver {resolver!r}, which is not {edge.resolver!r}"
            if resolver
            else ("names no resolver" if "tls" in router else "has no TLS")
        )
        findings.append(
            Finding(
                id="router-resolver",
                role=role,
                place=Place(router["name"]),
                problem=f"the https router of {host} {has}",
                impact="no certificate is issued or renewed, and Traefik serves its default one; its API "
                "shows no error",
                fix="set "
                f"traefik.http.routers.{router['name'].partition('@')[0]}.tls.certresolver={edge.resolver}",
            )
        )
    return findings


def lead_to_the_service(facts: Facts, role: str, host: str, edge: EdgeSettings) -> list[Finding]:
    """The https router's service is the role's container, on a network that Traefik shares, at its port."""
    proxy = TraefikApi(facts)
    known = [each for each in proxy.containers if each.role == role]
    if not known and role == GATEWAY:
        raise Unknown(f"where {host} leads to: no container of this host is known as the gateway")
    findings = []
    for router in proxy.serving(host, edge.https_entrypoint):
        urls = proxy.servers(router)
        for problem in [_misled(proxy, role, url) for url in urls] if urls else ["its service has no server"]:
            if problem:
                findings.append(
                    Finding(
                        id="router-leads-elsewhere",
                        role=role,
                        place=Place(router["name"]),
                        problem=f"the router of {host} does not lead to the {role}: {problem}",
                        impact="requests get 502 or 504, or another service answers them",
                        fix="set .service of the router to a service with "
                        f"loadbalancer.server.port={PORTS[role]}, and "
                        "traefik.docker.network to the network that Traefik is on",
                    )
                )
    return findings


def _whole_host(router: Router) -> bool:
    return set(re.findall(r"([A-Za-z]+)\(", router.get("rule", ""))) <= {"Host"}


def _count(proxy: TraefikApi, role: str, host: str, entrypoint: str, plain: bool) -> Iterator[Finding]:
    serving = proxy.serving(host, entrypoint)
    if len(serving) > 1:
        names = ", ".join(router["name"] for router in serving)
        yield Finding(
            id="router-duplicate",
            role=role,
            place=Place(host),
            problem=f"{len(serving)} routers take {host} on {entrypoint}: {names}",
            impact="which one serves depends on the length of rules and on names; a second stack may "
            "take the requests",
            fix="keep one; look for a second project with the same labels, and for Dokploy's own domain "
            "of the same name",
        )
    if serving or (plain and proxy.redirects_all(entrypoint)):
        return
    others = [
        f"{router['name']} (on {', '.join(router.get('entryPoints') or ['nothing'])}, {router.get('status')})"
        for router in proxy.naming(host)
    ]
    yield Finding(
        id="router-missing",
        role=role,
        place=Place(host),
        problem=f"no enabled router takes {host} on {entrypoint}"
        + (f"; it is named by {', '.join(others)}" if others else ""),
        impact="requests get Traefik's 404" + ("" if plain else " and its default certificate"),
        fix="give the container a router with this Host and this entrypoint, and .service where it has "
        "several services: "
        "Traefik drops such a router, and every container that is not healthy, without an error in its API",
    )


def _misled(proxy: TraefikApi, role: str, url: str) -> str | None:
    parts = urlsplit(url)
    target, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    owners = [each for each in proxy.containers if target in _names(each)]
    ours = [each for each in owners if each.role == role]
    if not owners:
        return f"{url} is no container of this host"
    if not ours:
        return f"{url} is {owners[0].name}, a {owners[0].role or 'stranger'}"
    shared = {network for each in ours for network in each.addresses if network in proxy.container.addresses}
    by_address = [
        network for each in ours for network, address in each.addresses.items() if address == target
    ]
    if not shared or (by_address and not set(by_address) & shared):
        return f"{url} is on {', '.join(by_address) or 'a network'}, which {proxy.container.name} is not on"
    if port != PORTS[role]:
        return f"{url} has port {port}, and the {role} listens on {PORTS[role]}"
    return None


def _names(container: Container) -> set[str]:
    aliases = {alias for each in container.service.networks.values() for alias in each}
    return {*container.addresses.values(), container.name, container.service.name, *aliases}
