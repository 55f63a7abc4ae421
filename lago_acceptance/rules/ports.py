"""Rules about ports: those in URLs and those that are published are ports on which something listens."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT, GATEWAY, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.ports import DEFAULTS, listens_on
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.way_in import Address, Scope, is_address, published_as, way_in
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, public, variable
from lago_acceptance.rules.helpers.hosts import named

_BY_SCHEME = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}
_CONSEQUENCES = {
    "DATABASE_URL": "connection refused: migrations fail, and every call answers 500",
    "REDIS_URL": "connection refused: the worker exits, and calls that enqueue a job answer 500",
    "LAGO_REDIS_CACHE_URL": "connection refused: nothing is cached, and current usage is computed anew for each call",
    "LAGO_PDF_URL": "connection refused: invoices get no PDF, and each leaves a dead job",
}


def _port(url: ServiceUrl) -> int | None:
    return url.port or _BY_SCHEME.get(url.scheme)


@rule(phase=2, follows=("pgbouncer-pooler-url",))
def url_wrong_port(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every URL with a service of the deployment as its host has the port on which that service listens.

    Between containers the container's own port counts: 5432 for PostgreSQL, 6379 for Redis, 3000 for the API and the PDF
    service, unless their commands or variables change it. A published port is open on the host only.
    """
    wrong: dict[tuple[str, int], list[tuple[Service, str]]] = {}
    right: dict[str, tuple[Service, int]] = {}
    for service in model.services:
        for name, value in service.environment.items():
            url = service_url(value) if value and "://" in value else None
            port = _port(url) if url and not url.raw_password and not unknown(url.host) else None
            if url is None or port is None or f"{url.host}:given-at" in str(value):
                continue
            partners = named(model, url.host)
            open_ports = [listens_on(partner, model) for partner in partners]
            if partners and None not in open_ports and port not in open_ports:
                wrong.setdefault((partners[0].name, port), []).append((service, name))
                right[partners[0].name] = partners[0], open_ports[0] or 0
    for (partner, port), uses in wrong.items():
        yield _wrong_port(uses, *right[partner], port)


def _wrong_port(uses: list[tuple[Service, str]], partner: Service, right: int, port: int) -> Violation:
    """One violation for all that connect to the same wrong port."""
    order = [*_CONSEQUENCES]
    first = min(uses, key=lambda use: (use[0].role != API, order.index(use[1]) if use[1] in order else 9))
    names = sorted({name for _, name in uses}, key=lambda name: (name != first[1], name))
    on_host = any(each.published == str(port) for each in partner.ports)
    return Violation(
        service=first[0],
        at=variable(*first),
        severity=None
        if any(service.role in (*LAGO_RUBY, GATEWAY) for service, _ in uses)
        else Severity.WARNING,
        problem=f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} port {port}, but {partner.name} "
        f"listens on {right}" + (f" ({port} is its port on the host)" if on_host else ""),
        impact=_CONSEQUENCES.get(first[1], "connection refused"),
        fix=f"use {partner.name}:{right}",
    )


@rule(phase=2)
def published_port_unused(model: Model, settings: Settings) -> Iterator[Violation]:
    """Published ports are ports that the container listens on."""
    for service in model.of_role(*DEFAULTS):
        ports = [port for port in service.ports if port.protocol == "tcp" and port.target]
        right = listens_on(service, model) if ports else None
        if right is None or any(port.target == right for port in ports):
            continue
        yield Violation(
            service=service,
            at=part(service, "ports", service.ports.index(ports[0])),
            problem=f"port {ports[0].target} of the container is published, but it listens on {right}",
            impact="connection refused on the published port",
            fix=f"publish {ports[0].published or right}:{right}",
        )


@rule(phase=2, follows=("api-url-internal", "front-api-url-internal", "cors-front-url-internal"))
def url_port_not_published(model: Model, settings: Settings) -> Iterator[Violation]:
    """Where browsers reach Lago's own ports, the URLs have the ports that are published.

    Only judged for http URLs without a proxy. A name on port 80 may be served by a proxy on the host, and isn't judged.
    """
    way = way_in(model, settings)
    if not way.plain or any(service.network_mode for service in public(model)):
        return
    told: dict[tuple[str, int], list[tuple[Address, str]]] = {}
    for each in way.addresses:
        if each.variable and (why := _not_there(model, each)):
            told.setdefault((each.role, each.url.port), []).append((each, why))
    for uses in told.values():
        first, why = min(uses, key=lambda use: use[0].variable != "API_URL")
        names = " and ".join(dict.fromkeys(each.variable for each, _ in uses))
        yield Violation(
            service=first.service,
            at=first.at,
            problem=f"{names} {'is' if ' and ' not in names else 'are'} {first.url}, but {why}",
            impact="links to PDFs and logos lead nowhere"
            if names == "LAGO_API_URL"
            else "the page loads, but the API refuses its origin (CORS): every login fails"
            if first.role == FRONT
            else "the page loads, but every login fails",
            fix="write the published port into the URL, or publish the port of the URL",
        )


def _not_there(model: Model, address: Address) -> str:
    """Why nothing of its role answers at an address of Lago's own ports, "" where something may."""
    url, scope = address.url, address.scope
    own = model.of_role(address.role)
    ports = [(service, port) for service in model.services for port in service.ports]
    if not own or scope == Scope.CONTAINERS or url.scheme != "http":
        return ""
    here = [(service, port) for service, port in ports if url.port in published_as(port)]
    mine = [(service, port) for service, port in here if service in own]
    if mine:
        service, port = mine[0]
        others = [each for _, each in mine if not (each.loopback and scope > Scope.MACHINE)]
        return "" if others else f"{service.name} publishes it on {port.address} only{_line(model, service)}"
    if here:
        service = here[0][0]
        passes_on = any(mount.target.startswith("/etc/nginx") for mount in service.mounts)
        if service.role not in (API, FRONT) or passes_on:
            return ""
        return f"that is the port of {service.name}{_line(model, service)}"
    published = [(service, port) for service, port in ports if service in own]
    by_name = scope > Scope.MACHINE and not is_address(url.host)
    if not published or any(not published_as(port) for _, port in ports) or by_name and url.port in (80, 443):
        return ""
    service, port = published[0]
    return f"{service.name} is published on port {port.published}{_line(model, service)}"


def _line(model: Model, service: Service) -> str:
    path, line = model.source.place(part(service, "ports")) if model.source else ("", None)
    return f" ({path}:{line})" if line else ""
