"""Rules about pages that a version of Lago opens to everybody who reaches the API."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, PROXY
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.releases import release_of
from lago_acceptance.lago.versions import tag_of
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import routers
from lago_acceptance.model.way_in import Scope, way_in
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part
from lago_acceptance.rules.helpers.public_pages import CONSOLE, METRICS, closing, exposure


@rule(phase=2)
def sidekiq_console_open(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sidekiq's pages are closed at the proxy in versions that serve them to everybody.

    From v1.17.0 to v1.29.0 (and in v1.16.1) /sidekiq needs no login, whatever LAGO_SIDEKIQ_WEB says. A rule of the proxy for
    that path closes it, with an allow-list or a login.
    """
    for service in model.of_role(API):
        release = release_of(service, settings)
        if release is None or release.sidekiq_console != "always open":
            continue
        way = exposure(model, service, CONSOLE)
        behind_traefik = bool(routers(service) or model.of_role(PROXY))
        if way is None and (behind_traefik or way_in(model, settings).scope == Scope.MACHINE):
            continue
        yield Violation(
            service=service,
            at=part(service, "image"),
            severity=None if way else Severity.WARNING,
            problem=f"{tag_of(service) or release.tag} serves Sidekiq's pages at {CONSOLE} without a login, even without "
            "LAGO_SIDEKIQ_WEB" + (f": {way.where}" if way else ""),
            impact="anyone who reaches the API can read and delete jobs, including invoices that are being generated",
            fix=f"{closing(model, settings, way.path if way else CONSOLE, way)}. LAGO_SIDEKIQ_WEB closes it from v1.30.0 on only",
        )


@rule(phase=2, severity=Severity.WARNING)
def metrics_open(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago's metrics are closed at the proxy.

    From v1.33.3 on the API serves /metrics without a key, on its own port.
    """
    for service in model.of_role(API):
        release = release_of(service, settings)
        way = exposure(model, service, METRICS) if release and release.metrics_open else None
        if way:
            yield Violation(
                service=service,
                at=part(service, "image"),
                problem=f"this version serves its metrics at {METRICS} without a key: {way.where}",
                impact="anyone can read how many requests and jobs there are, and how long they take",
                fix=closing(model, settings, way.path, way),
            )
