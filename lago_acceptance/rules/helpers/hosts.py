"""Host names and networks: what a name means, and who reaches whom. No rule is registered here."""

from __future__ import annotations

import ipaddress

from lago_acceptance.core.roles import DB, PDF, REDIS
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Network, Service


def named(model: Model, host: str) -> tuple[Service, ...]:
    """The services that a host name resolves to inside of the deployment's networks."""
    return tuple(
        service
        for service in model.services
        if host in (service.name, service.container_name)
        or any(host in aliases for aliases in service.networks.values())
    )


def service_at(model: Model, host: str) -> str:
    """What a host name means: the service that it resolves to, else the name itself. Two names may mean one service."""
    return next((service.name for service in named(model, host)), host)


def elsewhere(model: Model, host: str) -> bool:
    """Whether a host has a domain that is not the deployment's own: not that of an alias, and no missing alias of a service."""
    first, dot, domain = host.partition(".")
    aliases = (alias for service in model.services for names in service.networks.values() for alias in names)
    own = {alias.partition(".")[2] for alias in aliases if "." in alias}
    forgotten = internal(host) and any(service.name == first for service in model.services)
    # Without networks of its own a service has no alias either; that is reported as what it is.
    nameless = any(service.network_mode for service in model.of_role(DB, REDIS, PDF))
    return bool(dot) and (nameless or domain not in own and not forgotten)


def reachable(model: Model, one: Service, other: Service) -> bool:
    """Whether two services share a network."""
    if one.network_mode or other.network_mode:
        return True
    return bool(
        {model.network_name(key) for key in one.networks}
        & {model.network_name(key) for key in other.networks}
    )


def on_external_network(model: Model, service: Service) -> bool:
    """Whether containers outside of this model can share a network with the service."""
    external = {network.key for network in model.networks if network.external}
    return bool(service.network_mode) or any(key in external for key in service.networks)


def joinable(model: Model, network: Network) -> bool:
    """Whether other projects may be on a network: it is external, or has a fixed name. Containers don't show which of both."""
    refused = model.source is not None and model.source.compose_error
    fixed = network.name != f"{model.project}_{network.key}" and not unknown(network.name)
    return network.external or bool(fixed and not refused)


def local(host: str) -> bool:
    """Whether a host name means the machine itself."""
    return host in ("localhost", "::1", "0.0.0.0", "host.docker.internal") or host.startswith("127.")


def internal(host: str) -> bool:
    """Whether a host name can't be reached from the internet."""
    if not host or unknown(host):
        return False
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return local(host) or "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost"))


def url_of(service: Service, name: str) -> ServiceUrl | None:
    """A variable as a URL, None if it is unset or no URL."""
    value = service.value(name)
    return service_url(value) if value else None
