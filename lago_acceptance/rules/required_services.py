"""Rules about the services that a Lago deployment must have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, PDF, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    has_api,
    named,
    reference,
    url_of,
    variable,
)


@rule(phase=2, severity=Severity.WARNING, follows=("env-name-misspelled",))
def no_pdf_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """There is a PDF service, and the worker has its URL.

    Without one invoices are finalized without a PDF, and each leaves a dead job. Nothing else shows it.
    """
    first = reference(model)
    pdf = model.of_role(PDF)
    for service in model.of_role(WORKER) or model.of_role(API):
        url = url_of(service, "LAGO_PDF_URL")
        declared = model.source is None or model.source.text(service.name, "LAGO_PDF_URL") is not None
        external = declared and unknown(service.value("LAGO_PDF_URL")) or url is not None and "." in url.host
        if not pdf and not external and has_api(model):
            yield Violation(
                service=first,
                at=variable(service, "LAGO_PDF_URL") if url else ("services",),
                # In a file the service may be added later; a running deployment loses PDFs now.
                severity=Severity.ERROR if model.observed else None,
                problem="no service generates PDFs" + (f": {url.host} is no service" if url else ""),
                impact="invoices are finalized without a PDF, and each leaves a dead job",
                fix="add a service lago-pdf (getlago/lago-gotenberg:7.8.2) and set LAGO_PDF_URL: "
                "http://lago-pdf:3000",
            )
            return
        if pdf and not service.value("LAGO_PDF_URL"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_PDF_URL"),
                problem="there is a PDF service, but LAGO_PDF_URL is not set",
                impact="the worker can't find it: invoices get no PDF, and each leaves a dead job",
                fix=f"set LAGO_PDF_URL: http://{pdf[0].name}:3000 on the worker and the API",
            )
            return
        target = next((each for each in named(model, url.host) if each.role == PDF), None) if url else None
        if (
            url
            and target
            and (url.port or 80) != 3000
            and not re.search(r"--api-port|API_PORT", _settings_text(target))
        ):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_PDF_URL"),
                problem=f"LAGO_PDF_URL names port {url.port or 80} of {target.name}, which listens on 3000",
                impact="connection refused: invoices get no PDF, and each leaves a dead job",
                fix=f"set LAGO_PDF_URL: http://{target.name}:3000",
            )
            return


def _settings_text(service: Service) -> str:
    return " ".join((service.full_command, *service.environment))


@rule(phase=2)
def no_clock_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service runs Lago's clock.

    The clock enqueues everything recurring: invoices, activations, terminations, finalizations.
    """
    if has_api(model) and not model.of_role(CLOCK):
        yield Violation(
            service=reference(model),
            at=("services",),
            problem="no service runs Lago's clock (./scripts/start.clock.sh)",
            impact="no recurring invoices, no activation of future subscriptions, no terminations, drafts "
            "are never finalized",
            fix="add a service with the API's image and environment, and command: ./scripts/start.clock.sh",
        )


@rule(phase=2)
def no_worker_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service runs Lago's worker.

    Without it nothing is billed and no webhook is sent, while the API stays healthy.
    """
    if has_api(model) and not model.of_role(WORKER):
        yield Violation(
            service=reference(model),
            at=("services",),
            problem="no service runs Lago's worker (./scripts/start.worker.sh)",
            impact="jobs pile up in Redis: no invoices, no webhooks, no deletions, stale usage",
            fix="add a service with the API's image and environment, and command: ./scripts/start.worker.sh",
        )


@rule(phase=2)
def queue_without_worker(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every queue that is switched on (SIDEKIQ_EVENTS, SIDEKIQ_PDFS) has a worker."""
    for variable_name, script in (
        ("SIDEKIQ_EVENTS", "start.events.worker.sh"),
        ("SIDEKIQ_PDFS", "start.pdfs.worker.sh"),
    ):
        if any(script in service.full_command for service in model.services):
            continue
        for service in model.of_role(API, WORKER, CLOCK):
            if service.value(variable_name) not in ("", "false"):
                yield Violation(
                    service=service,
                    at=variable(service, variable_name),
                    problem=f"{variable_name} is set, but no service runs {script}",
                    impact="jobs in that queue are never processed",
                    fix=f"add a worker that runs ./scripts/{script}, or remove {variable_name}",
                )
                break
