"""Rules about what containers reach: other services behind their names, and the internet."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, FRONT, MIGRATE, PROXY, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, uses_object_store
from lago_acceptance.rules.helpers.hosts import named

_PROXY_VARIABLES = re.compile(r"(?i)(https?|all)_proxy")


def _uses_name(service: Service, name: str) -> bool:
    """Whether a service connects to a name, by its variables, its command or its healthcheck."""
    check = service.healthcheck.command if service.healthcheck else ""
    texts = (*(value or "" for value in service.environment.values()), service.full_command, check)
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text) for text in texts)


def _may_be_its_address(model: Model, address: str) -> bool:
    """Whether an address may be that of a container: one that the file gives, or one that only the host knows."""
    if model.source is not None and re.search(
        rf"ipv[46]_address'?: '?{re.escape(address)}'", str(model.source.document)
    ):
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return unknown(address)
    return model.observed and found.is_private and not found.is_loopback


@rule(phase=2)
def extra_hosts_hides_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """No entry of extra_hosts gives a service's name another address.

    The hosts file comes before Docker's DNS: the service behind the name is never asked.
    """
    for service in model.services:
        for name, address in service.host_entries.items():
            hidden = [each for each in named(model, name) if each is not service]
            if not hidden or _may_be_its_address(model, address) or not _uses_name(service, name):
                continue
            published = address == "host-gateway" and hidden[0].ports
            yield Violation(
                service=service,
                at=part(service, "extra_hosts"),
                severity=Severity.WARNING if published else None,
                problem=f"extra_hosts points {name} to {address}, and so hides the service of that name",
                impact="it connects to that address instead: connection refused, or another server's data",
                fix=f"remove the entry for {name}",
            )


def _cut_off(model: Model, service: Service) -> bool:
    """Whether a service is on internal networks only."""
    internal = {network.key for network in model.networks if network.internal and not network.external}
    return bool(service.networks) and not service.network_mode and set(service.networks) <= internal


def _needs_out(service: Service) -> tuple[str, Severity] | None:
    """What a service of Lago needs the internet for, and how much; None if it doesn't."""
    if any(_PROXY_VARIABLES.fullmatch(name) for name in service.environment):
        return None
    if service.value("LAGO_LICENSE") and service.role in (API, WORKER, CLOCK, MIGRATE):
        return "it exits at boot: Lago verifies LAGO_LICENSE with a server on the internet", Severity.ERROR
    if service.role == WORKER:
        return "webhooks, e-mails and calls to payment providers all fail", Severity.ERROR
    if service.role == PROXY:
        return "it gets no certificates, and nobody reaches its ports", Severity.ERROR
    if service.role == API:
        storage = uses_object_store(service)
        return (
            ("PDFs and logos in the object store can't be read or written", Severity.ERROR)
            if storage
            else ("integrations and logins by Google or Okta fail", Severity.WARNING)
        )
    return None


@rule(phase=2)
def internal_network_cuts_off(model: Model, settings: Settings) -> Iterator[Violation]:
    """Services that call the internet, or publish a port, are on a network that isn't `internal`.

    From an internal network nothing reaches out of the host, and Docker publishes no port of a container that is on such
    networks only.
    """
    for service in model.services:
        if not _cut_off(model, service):
            continue
        needs = _needs_out(service)
        if service.role in (API, FRONT) and service.ports:
            needs = "its published port can't be reached", Severity.ERROR
        if needs:
            impact, severity = needs
            networks = ", ".join(service.networks)
            yield Violation(
                service=service,
                at=part(service, "networks")
                if service.networks.keys() != {"default"}
                else ("networks", "default"),
                severity=severity,
                problem=f"it is only on {networks}, which {'is' if len(service.networks) == 1 else 'are'} internal",
                impact=impact,
                fix="put it on a second network without `internal: true`, too",
            )
