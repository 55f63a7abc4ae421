"""Rules about the services that a Lago deployment must have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, FRONT, PDF, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.sidekiq import without_bundler
from lago_acceptance.lago.startup import outcome_of
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import has_api, lago, reference, start, variable
from lago_acceptance.rules.helpers.hosts import elsewhere, local, url_of


@rule(
    phase=2,
    severity=Severity.WARNING,
    follows_variable=(
        "worker-env-incomplete",
        "env-name-misspelled",
    ),
)
def no_pdf_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """There is a PDF service, and the worker has its URL.

    Without one invoices are finalized without a PDF, and each leaves a dead job. Nothing else shows it.
    """
    first = reference(model)
    pdf = model.of_role(PDF)
    for service in model.of_role(WORKER) or model.of_role(API):
        url = url_of(service, "LAGO_PDF_URL")
        declared = model.source is None or model.source.text(service.name, "LAGO_PDF_URL") is not None
        external = (
            declared
            and unknown(service.value("LAGO_PDF_URL"))
            or url is not None
            and elsewhere(model, url.host)
        )
        if not pdf and not external and has_api(model):
            name = url.host if url and not local(url.host) else "pdf"
            yield Violation(
                service=first,
                at=variable(service, "LAGO_PDF_URL")
                if "LAGO_PDF_URL" in service.environment
                else ("services",),
                # In a file the service may be added later; a running deployment loses PDFs now.
                severity=Severity.ERROR if model.observed else None,
                problem="no service generates PDFs"
                + (f": {url.host} in LAGO_PDF_URL is no service" if url else ", and LAGO_PDF_URL is not set"),
                impact="invoices are finalized without a PDF, and each leaves a dead job",
                fix=f"add a service {name} with image: getlago/lago-gotenberg:7.8.2, and set LAGO_PDF_URL: "
                f"http://{name}:3000 on the worker and the API",
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


@rule(phase=2)
def no_api_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service serves Lago's API.

    A copied command makes a second worker of it, and `sleep infinity` a container that only sleeps.
    """
    if not lago(model) or has_api(model):
        return
    idle = [
        service
        for service in model.services
        if service.role is None and stock_image(service) and _idles(service)
    ]
    # The API may be in another file, or a service that isn't recognised.
    whole = model.of_role(FRONT) and model.of_role(WORKER, CLOCK)
    unsure = any(service.role is None and not stock_image(service) for service in model.services)
    if not idle and (not whole or unsure):
        return
    service = idle[0] if idle else None
    yield Violation(
        service=service,
        at=start(service) if service else ("services",),
        problem="it only sleeps, and no other service serves the API"
        if service
        else "no service serves Lago's API",
        impact="there is no API: nothing can be read, written or billed",
        fix="use command: ./scripts/start.api.sh"
        if service
        else "add a service with the worker's image and environment, and command: ./scripts/start.api.sh",
    )


def _idles(service: Service) -> bool:
    return re.match(r"(\S*/)?(sleep infinity|tail -f /dev/null)", service.full_command) is not None


def _runs(model: Model, role: str) -> bool:
    """Whether a service has a role, or the API's container runs its program too, or a script that isn't known."""
    if model.of_role(role):
        return True
    program = {
        WORKER: r"scripts/start\.worker\.sh$|^sidekiq$",
        CLOCK: r"scripts/start\.clock\.sh$|^clockwork$",
    }
    for service in model.of_role(API):
        for started in outcome_of(service, model).programs:
            words = without_bundler(started)
            path = words[0] if words else ""
            unknown_script = service.mount_at(path) is not None and "/scripts/start." not in path
            if re.search(program[role], path) or unknown_script:
                return True
    return False


@rule(phase=2)
def no_clock_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service runs Lago's clock.

    The clock enqueues everything recurring: invoices, activations, terminations, finalizations.
    """
    if has_api(model) and not _runs(model, CLOCK):
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
    if has_api(model) and not _runs(model, WORKER):
        yield Violation(
            service=reference(model),
            at=("services",),
            problem="no service runs Lago's worker (./scripts/start.worker.sh)",
            impact="jobs pile up in Redis: no invoices, no webhooks, no deletions, stale usage",
            fix="add a service with the API's image and environment, and command: ./scripts/start.worker.sh",
        )
