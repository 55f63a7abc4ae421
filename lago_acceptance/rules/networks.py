"""Rules about networks: which services must share one, and which must not."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, PROXY, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.front_proxy import CAPROVER, front_proxy
from lago_acceptance.model.traefik_labels import NETWORK_LABELS, label_at, labels_of, network_labels, routers
from lago_acceptance.model.traefik_proxy import proxy
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, lago, part, proxy_networks, public
from lago_acceptance.rules.helpers.data_stores import PARTNERS
from lago_acceptance.rules.helpers.hosts import joinable, named, reachable, url_of
from lago_acceptance.rules.helpers.remedies import cannot_reach, proxy_network


@rule(phase=2, severity=Severity.WARNING)
def host_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago's containers don't use the host's network."""
    for service in model.of_role(*OURS):
        if service.network_mode == "host":
            yield Violation(
                service=service,
                at=part(service, "network_mode"),
                problem="it uses the host's network",
                impact="every port it listens on is open on the host's addresses, and the names of the other "
                "services don't resolve",
                fix="remove network_mode",
            )


@rule(phase=0, severity=Severity.WARNING, declared_only=True)
def external_network_unprovisioned(model: Model, settings: Settings) -> Iterator[Violation]:
    """External networks are the proxy's and the gateway's, as named in the settings.

    Only judged if the settings name the proxy's network.
    """
    known = {settings.edge.proxy_network, settings.edge.gateway_network} - {""}
    for network in model.networks if settings.edge.proxy_network else ():
        if network.external and network.name not in known and not unknown(network.name):
            yield Violation(
                at=("networks", network.key),
                problem=f"network {network.name} is external, so Compose doesn't create it",
                impact="the deploy stops: network declared as external, but could not be found",
                fix=f"remove `external` and let Compose create it, or run docker network create {network.name} on "
                "the host first",
            )


@rule(phase=3)
def proxy_network_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routed services are on Traefik's network, and their label names it.

    The label is traefik.docker.network, for Traefik's Swarm provider traefik.swarm.network.
    """
    if proxy(model, settings).inside:
        return
    network = proxy_network(model, settings)
    ours = bool(settings.edge.proxy_network)
    for service in public(model):
        if not any(router.rule for router in routers(service)) or service.network_mode:
            continue
        names = {model.network_name(key) for key in service.networks}
        label = next(iter(network_labels(service).values()), "")
        if model.observed and label in names:
            continue
        external = {network.name for network in model.networks if network.external}
        if ours and settings.edge.proxy_network not in names and not unknown(" ".join(names)):
            yield Violation(
                service=service,
                at=part(service, "networks"),
                severity=Severity.WARNING if names & external else None,
                problem=f"it has a router, but is not on {f'{network}, ' if network else ''}Traefik's network",
                impact="504 Gateway Timeout or 404 at its public name; 522 behind Cloudflare",
                fix=f"add it to the external network {network}",
            )
        elif len(names) > 1 and not label:
            wanted = NETWORK_LABELS[service.labels_for_swarm]
            yield Violation(
                service=service,
                at=part(service, "labels"),
                severity=Severity.WARNING,
                problem=f"it is on several networks, and no {wanted} label says which one is Traefik's",
                impact="Traefik may pick an address that it can't reach: 504, after some restarts but not "
                "others",
                fix=f"add the label {wanted}: {network or '<the network of the proxy>'}",
            )


@rule(phase=3, severity=Severity.WARNING)
def db_on_proxy_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """The database and Redis are on no network that other projects share.

    Such are the proxy's network, the gateway's, any that the compose file calls external, and, beside a network of its own, one with a
    fixed name that the file's own proxy is on. Not judged where a platform puts all that it runs on its one network.
    """
    if front_proxy(model, settings).platform == CAPROVER:
        return
    proxies = proxy_networks(model, settings)
    shared = proxies | {settings.edge.gateway_network} - {""}
    own = {network.name for network in model.networks if not joinable(model, network)}
    shared |= {network.name for network in model.networks if network.external and not model.observed}
    with_proxy = {model.network_name(key) for service in model.of_role(PROXY) for key in service.networks}
    for service in model.of_role(DB, REDIS):
        mode = "" if ":" in service.network_mode else service.network_mode
        networks = {model.network_name(key) for key in service.networks} | {mode}
        joined = with_proxy if networks & own else set()
        on = sorted((shared | joined) & networks - own, key=lambda name: (name not in proxies, name))
        if on:
            yield Violation(
                service=service,
                at=part(service, "networks" if service.networks else "network_mode"),
                problem=f"it is on {on[0]}, which "
                + (
                    "the proxy and every project behind it share"
                    if on[0] in proxies
                    else "other projects share"
                ),
                impact=(
                    "every container there can try to log in"
                    if service.role == DB
                    else "every container there can read and delete jobs, unless Redis has a password"
                )
                + f", and another project's container may answer to the name {service.name}",
                fix="move it to a network that only Lago uses",
            )


@rule(phase=2)
def wrong_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """Services share a network with the hosts in their URLs, and traefik.docker.network is one of theirs.

    The label takes Docker's name of the network: <project>_<key>, unless it is external or has a `name`.
    """
    for service in lago(model):
        for name, _ in PARTNERS:
            url = url_of(service, name)
            partners = named(model, url.host) if url else ()
            if partners and not any(reachable(model, service, partner) for partner in partners):
                yield Violation(
                    service=service,
                    at=part(service, "networks"),
                    problem=f"it shares no network with {partners[0].name}, the host in {name}",
                    impact=f"the name doesn't resolve: {cannot_reach(name)}",
                    fix="put both on the same network",
                )
    for service in model.services:
        if service.network_mode or not any(".routers." in key for key in labels_of(service)):
            continue
        names = {model.network_name(key) for key in service.networks}
        for name, label in network_labels(service).items():
            if label not in names and not unknown(label):
                yield Violation(
                    service=service,
                    at=label_at(service, name),
                    problem=f"{name} is {label}, but the service is on {', '.join(sorted(names)) or 'no network'}",
                    impact="Traefik has no address for it: 504 or 404 at its public name",
                    fix=f"set {name} to the network that it shares with Traefik",
                )
