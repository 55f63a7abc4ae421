"""Rules about the public URLs of API and front."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import routers
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import at_deploy, lago, unset_note, variable
from lago_acceptance.rules.helpers.hosts import internal, local, url_of
from lago_acceptance.rules.helpers.remedies import api_name, front_name, is_or_falls_back


@rule(phase=2)
def api_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_API_URL is the API's public https URL.

    Lago puts it into links to PDFs and into the issuer of webhooks. The service's name in Docker only works
    for containers such as the gateway.
    """
    for service in lago(model):
        url = url_of(service, "LAGO_API_URL")
        if url is None or unknown(url.host):
            continue
        if internal(url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                problem=f"LAGO_API_URL {is_or_falls_back(model, service, 'LAGO_API_URL')} "
                f"{url.scheme}://{url.host}, which only resolves on this host",
                impact="links to PDFs and the issuer of webhooks point nowhere",
                fix=f"set LAGO_API_URL: https://{api_name(model, settings)}",
            )
        elif url.scheme != "https":
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=Severity.WARNING,
                problem="LAGO_API_URL is not an https URL",
                impact="links to PDFs go over plain http",
                fix=f"set LAGO_API_URL: https://{url.host}",
            )


@rule(
    phase=2,
    follows=(
        "worker-env-incomplete",
        "env-name-misspelled",
    ),
    follows_at=("env-file-not-used-for-interpolation",),
)
def api_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """API and worker have the API's public URL in LAGO_API_URL.

    The worker signs webhooks with it as the issuer, and writes it into the links to PDFs (file_url).
    """
    given = any(
        service.value("LAGO_API_URL")
        for service in model.of_role(API)
        if model.source is None or model.source.text(service.name, "LAGO_API_URL")
    )
    # What the API lacks as well is reported for the API.
    for service in (*model.of_role(API), *(model.of_role(WORKER) if given else ())):
        if unknown(service.value("LAGO_API_URL")):
            continue
        if url_of(service, "LAGO_API_URL") is None and not service.value("LAGO_DOMAIN"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=at_deploy(model, service, "LAGO_API_URL"),
                problem=f"LAGO_API_URL is not set{unset_note(model, service, 'LAGO_API_URL')}",
                impact="requests for invoices with a PDF answer 500, and webhooks have no issuer"
                if service.role == API
                else "webhooks have no issuer (receivers that check it refuse them), and links to PDFs have no host",
                fix=f"set LAGO_API_URL: https://{api_name(model, settings)}",
            )


@rule(
    phase=2,
    follows_at=("env-file-not-used-for-interpolation",),
    follows=(
        "env-name-misspelled",
        "front-env-config-hardcoded",
    ),
)
def front_api_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front has the API's public URL in API_URL.

    Without it the browser posts to /undefined/graphql on the front itself and gets 405 ("Something went
    wrong"), while every container is healthy.
    """
    for service in model.of_role(FRONT):
        if not service.value("API_URL") and not service.value("LAGO_DOMAIN"):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                severity=at_deploy(model, service, "API_URL"),
                problem=f"API_URL is not set{unset_note(model, service, 'API_URL')}",
                impact="the browser posts to /undefined/graphql and gets 405: every login fails",
                fix=f"set API_URL: https://{api_name(model, settings)}",
            )


@rule(phase=2)
def front_api_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front's API_URL is an https URL that browsers can reach."""
    for service in model.of_role(FRONT):
        url = url_of(service, "API_URL")
        if service.value("API_URL") and url is None and not unknown(service.value("API_URL")):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                problem="API_URL has no scheme, so the browser treats it as a path on the front",
                impact="the front answers 405: every login fails",
                fix=f"set API_URL: https://{api_name(model, settings)}",
            )
        elif url and internal(url.host):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                problem=f"API_URL {is_or_falls_back(model, service, 'API_URL')} {url.scheme}://{url.host}, "
                "which browsers can't reach",
                impact="the login page loads, but every login fails",
                fix=f"set API_URL: https://{api_name(model, settings)}",
            )
        elif url and url.scheme != "https" and not unknown(url.host):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                severity=Severity.WARNING,
                problem="API_URL is not an https URL",
                impact="browsers block the calls of an https page to it (mixed content)",
                fix=f"set API_URL: https://{url.host}",
            )


def _falls_back_to_localhost(model: Model, name: str) -> bool:
    """Whether LAGO_FRONT_URL falls back to localhost, unless the deploy sets it."""
    source = model.source
    text = source.text(name, "LAGO_FRONT_URL") if source else None
    if source is None or not text:
        return False
    return (":-http://localhost" in text or "-http://127." in text) and not source.environment_known


@rule(phase=2, follows_at=("env-file-not-used-for-interpolation",), follows=("env-name-misspelled",))
def cors_front_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API has the front's public URL, with its scheme, in LAGO_FRONT_URL.

    It is the only origin that the API allows. If it is missing or has no scheme, CORS matches nothing and no
    browser can log in.
    """
    for service in model.of_role(API):
        value = service.value("LAGO_FRONT_URL")
        if not value and not service.value("LAGO_DOMAIN"):
            problem = f"LAGO_FRONT_URL is not set{unset_note(model, service, 'LAGO_FRONT_URL')}"
        elif value and service_url(value) is None and not unknown(value):
            problem = "LAGO_FRONT_URL has no scheme, so its origin is empty"
        elif (url := service_url(value)) is not None and not url.host:
            problem = f"LAGO_FRONT_URL names no host{unset_note(model, service, 'LAGO_FRONT_URL')}"
        else:
            continue
        yield Violation(
            service=service,
            at=variable(service, "LAGO_FRONT_URL"),
            severity=at_deploy(model, service, "LAGO_FRONT_URL"),
            problem=problem,
            impact='no CORS origin is allowed: the page loads, and every login fails with "An error '
            'occurred"',
            fix=f"set LAGO_FRONT_URL: https://{front_name(model, settings)}",
        )


@rule(phase=2)
def cors_front_url_localhost_default(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_FRONT_URL has no localhost default."""
    for service in model.of_role(API):
        url = url_of(service, "LAGO_FRONT_URL")
        if url and local(url.host) or _falls_back_to_localhost(model, service.name):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL {is_or_falls_back(model, service, 'LAGO_FRONT_URL')} "
                f"{url.host if url and local(url.host) else 'localhost'}",
                impact="the API only allows browsers on the server itself: every login fails",
                fix=f"set LAGO_FRONT_URL: https://{front_name(model, settings)}",
            )


def _routed(model: Model, host: str) -> bool:
    """Whether Traefik serves a name (on ports 80 and 443)."""
    return any(host in router.hosts for service in model.services for router in routers(service))


@rule(phase=2)
def cors_front_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_FRONT_URL is the public name of the front, as browsers send it.

    The API compares it with the origin that a browser sends: in lower case, and without the ports 80 and 443.
    """
    for service in model.of_role(API):
        url = url_of(service, "LAGO_FRONT_URL")
        if url is None or local(url.host) or unknown(url.host):
            continue
        if url.host != url.host.lower() or (url.port or 443) not in (80, 443) and _routed(model, url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL is {url.host}{f':{url.port}' if url.port else ''}, which no "
                f"browser sends as its origin",
                impact="CORS never matches: every login fails",
                fix=f"set LAGO_FRONT_URL: https://{url.host.lower()}",
            )
        elif internal(url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL {is_or_falls_back(model, service, 'LAGO_FRONT_URL')} "
                f"{url.scheme}://{url.host}, which no browser sends as its origin",
                impact="CORS never matches: every login fails",
                fix=f"set LAGO_FRONT_URL: https://{front_name(model, settings)}",
            )
