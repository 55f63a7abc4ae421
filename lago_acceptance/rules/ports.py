"""Rules about ports: those in URLs and those that are published are ports on which something listens."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, GATEWAY, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl, public_url, service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.ports import DEFAULTS, listens_on
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.way_in import Scope, scope_of
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, variable
from lago_acceptance.rules.helpers.hosts import named

_OF_BROWSERS = ("LAGO_API_URL", "LAGO_FRONT_URL", "API_URL")
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
            # A public name may be an alias, too: browsers don't resolve it in Docker.
            public = public_url(str(value)) if name in _OF_BROWSERS else None
            if public and scope_of(model, public) > Scope.CONTAINERS:
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
