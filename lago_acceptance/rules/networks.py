"""Rules about networks: who must share one, and who must not."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import DB, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import (
    proxy,
    routers,
)
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    OURS,
    PARTNERS,
    lago,
    named,
    part,
    proxy_networks,
    public,
    reachable,
    url_of,
)


@rule(phase=2, severity=Severity.WARNING)
def host_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago's containers are on networks of their own, not on the host's."""
    for service in model.of_role(*OURS):
        if service.network_mode == "host":
            yield Violation(
                service=service,
                at=part(service, "network_mode"),
                problem="it uses the host's network",
                impact="every port that it opens is open to the internet, and service names don't resolve",
                fix="take network_mode out",
            )


@rule(phase=0, severity=Severity.WARNING, declared_only=True)
def external_network_unprovisioned(model: Model, settings: Settings) -> Iterator[Violation]:
    """External networks are those that the host has: the proxy's and the gateway's (settings)."""
    known = {settings.edge.proxy_network, settings.edge.gateway_network}
    for network in model.networks:
        if network.external and network.name not in known and not unknown(network.name):
            yield Violation(
                at=("networks", network.key),
                problem=f"network {network.name} is external, and not one that the host is known to have",
                impact="the deploy stops: network declared as external, but could not be found",
                fix=f"use {' or '.join(sorted(known))}, or let Compose make it",
            )


@rule(phase=3)
def proxy_network_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """What has a router is on the network where the running Traefik looks, and says which one that is."""
    if proxy(model, settings).inside:
        return
    for service in public(model):
        if not any(router.rule for router in routers(service)) or service.network_mode:
            continue
        names = {model.network_name(key) for key in service.networks}
        label = service.labels.get("traefik.docker.network", "")
        if model.observed and label in names:
            continue
        external = {network.name for network in model.networks if network.external}
        if settings.edge.proxy_network not in names and not unknown(" ".join(names)):
            yield Violation(
                service=service,
                at=part(service, "networks"),
                severity=Severity.WARNING if names & external else None,
                problem=f"it has a router, but it is not on {settings.edge.proxy_network}, where Traefik looks",
                impact="504 Gateway Timeout or 404 at its public name; 522 behind Cloudflare",
                fix=f"add the external network {settings.edge.proxy_network}",
            )
        elif len(names) > 1 and not label:
            yield Violation(
                service=service,
                at=part(service, "labels"),
                severity=Severity.WARNING,
                problem="it is on several networks, and traefik.docker.network says not which one is Traefik's",
                impact="Traefik may take an address that it can't reach: 504, after some restarts "
                "and not after others",
                fix=f"traefik.docker.network: {settings.edge.proxy_network}",
            )


@rule(phase=3, severity=Severity.WARNING)
def db_on_proxy_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """Database and Redis are not on the proxy's network, where every project of the host is."""
    networks = proxy_networks(model, settings)
    for service in model.of_role(DB, REDIS):
        shared = sorted(
            model.network_name(key) for key in service.networks if model.network_name(key) in networks
        )
        if shared:
            yield Violation(
                service=service,
                at=part(service, "networks"),
                problem=f"it is on {shared[0]}, the network of the proxy and of every project behind it",
                impact="every container there can try its password, and names like `postgres` or "
                "`redis` answer to several projects",
                fix="put it on a network of Lago's own",
            )


@rule(phase=2)
def wrong_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service shares a network with every host that its URLs name; Traefik's label names a network that it is on.

    The label holds Docker's name of the network: one that isn't external is called <project>_<key> there.
    """
    for service in lago(model):
        for name, _ in PARTNERS:
            url = url_of(service, name)
            partners = named(model, url.host) if url else ()
            if partners and not any(reachable(model, service, partner) for partner in partners):
                yield Violation(
                    service=service,
                    at=part(service, "networks"),
                    problem=f"it shares no network with {partners[0].name}, which {name} names",
                    impact="the name doesn't resolve: could not translate host name",
                    fix="put both on one network",
                )
    for service in model.services:
        label = service.labels.get("traefik.docker.network")
        if not label or unknown(label) or not any(".routers." in key for key in service.labels):
            continue
        names = {model.network_name(key) for key in service.networks}
        if label not in names and not service.network_mode:
            yield Violation(
                service=service,
                at=part(service, "labels", "traefik.docker.network"),
                problem=f"traefik.docker.network says {label}, but it is on "
                f"{', '.join(sorted(names)) or 'no network'}",
                impact="Traefik has no address for it: 504 or 404 at its public name",
                fix="name a network that it shares with Traefik, external: true",
            )
