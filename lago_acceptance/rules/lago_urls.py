"""Rules about the URLs that browsers and services use: who must reach whom, and under which name."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import routers
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    at_deploy,
    internal,
    lago,
    local,
    url_of,
    variable,
    written_unset,
)


@rule(phase=2)
def api_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_API_URL is the API's public https URL.

    Lago writes it into links to PDFs and into the webhooks' issuer; Docker's name of the service is right for
    the gateway alone.
    """
    for service in lago(model):
        url = url_of(service, "LAGO_API_URL")
        if url is None or unknown(url.host):
            continue
        if internal(url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                problem=f"LAGO_API_URL is {url.scheme}://{url.host}, which only this host knows",
                impact="links to PDFs and the issuer of webhooks point to nowhere",
                fix=f"LAGO_API_URL: https://{settings.hosts.api}",
            )
        elif url.scheme != "https":
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=Severity.WARNING,
                problem="LAGO_API_URL is not an https URL",
                impact="links to PDFs go over plain http",
                fix=f"LAGO_API_URL: https://{url.host}",
            )


@rule(phase=2)
def api_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API knows its public URL (LAGO_API_URL)."""
    for service in model.of_role(API):
        if unknown(service.value("LAGO_API_URL")):
            continue
        if url_of(service, "LAGO_API_URL") is None and not service.value("LAGO_DOMAIN"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=at_deploy(model, service, "LAGO_API_URL"),
                problem=f"LAGO_API_URL is not set{written_unset(model, service, 'LAGO_API_URL')}",
                impact="invoices that have a PDF answer 500, and webhooks have no issuer",
                fix=f"LAGO_API_URL: https://{settings.hosts.api}",
            )


@rule(phase=2)
def front_api_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front knows the API's public URL (API_URL).

    Without it the browser posts to /undefined/graphql on the front itself: 405, "Something went wrong", while
    every container is healthy.
    """
    for service in model.of_role(FRONT):
        if not service.value("API_URL") and not service.value("LAGO_DOMAIN"):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                severity=at_deploy(model, service, "API_URL"),
                problem=f"API_URL is not set on the front{written_unset(model, service, 'API_URL')}",
                impact="the browser posts to /undefined/graphql: 405, nobody can log in",
                fix=f"API_URL: https://{settings.hosts.api}",
            )


@rule(phase=2)
def front_api_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front's API_URL is a name that a browser can reach, by https."""
    for service in model.of_role(FRONT):
        url = url_of(service, "API_URL")
        if service.value("API_URL") and url is None and not unknown(service.value("API_URL")):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                problem="API_URL has no scheme, so the browser takes it as a path of the front",
                impact="405 from the front itself: nobody can log in",
                fix=f"API_URL: https://{settings.hosts.api}",
            )
        elif url and internal(url.host):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                problem=f"API_URL is {url.scheme}://{url.host}, which no browser out there reaches",
                impact="the login page shows, and every login fails",
                fix=f"API_URL: https://{settings.hosts.api}",
            )
        elif url and url.scheme != "https" and not unknown(url.host):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                severity=Severity.WARNING,
                problem="API_URL is not an https URL",
                impact="a page served by https may not call it (mixed content)",
                fix=f"API_URL: https://{url.host}",
            )


def _cors_default(model: Model, name: str) -> bool:
    text = model.written.text(name, "LAGO_FRONT_URL") if model.written else None
    return (
        bool(text)
        and (":-http://localhost" in text or "-http://127." in text)
        and not model.written.environment_known
    )


@rule(phase=2)
def cors_front_url_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API knows the front's public URL (LAGO_FRONT_URL), with its scheme.

    It is the one origin that the API admits. Without it, or without its scheme, CORS matches nothing and no
    browser can log in.
    """
    for service in model.of_role(API):
        value = service.value("LAGO_FRONT_URL")
        if not value and not service.value("LAGO_DOMAIN"):
            problem = f"LAGO_FRONT_URL is not set on the API{written_unset(model, service, 'LAGO_FRONT_URL')}"
        elif value and service_url(value) is None and not unknown(value):
            problem = "LAGO_FRONT_URL has no scheme, so its origin is empty"
        elif (url := service_url(value)) is not None and not url.host:
            problem = f"LAGO_FRONT_URL names no host{written_unset(model, service, 'LAGO_FRONT_URL')}"
        else:
            continue
        yield Violation(
            service=service,
            at=variable(service, "LAGO_FRONT_URL"),
            severity=at_deploy(model, service, "LAGO_FRONT_URL"),
            problem=problem,
            impact='no CORS origin: the page loads, and logging in says "An error occurred"',
            fix=f"LAGO_FRONT_URL: https://{settings.hosts.front}",
        )


@rule(phase=2)
def cors_front_url_localhost_default(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_FRONT_URL doesn't fall back to localhost."""
    for service in model.of_role(API):
        url = url_of(service, "LAGO_FRONT_URL")
        if url and local(url.host) or _cors_default(model, service.name):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem="LAGO_FRONT_URL is, or falls back to, localhost",
                impact="the API admits nobody but a browser on the server itself: no login",
                fix=f"LAGO_FRONT_URL: https://{settings.hosts.front}",
            )


def _routed(model: Model, host: str) -> bool:
    """Whether Traefik answers to a name: on 80 and 443, that is."""
    return any(host in router.hosts for service in model.services for router in routers(service))


@rule(phase=2)
def cors_front_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_FRONT_URL is the name that people type, not Docker's.

    It is compared with what a browser sends: small letters, and a port only where it isn't 80 or 443.
    """
    for service in model.of_role(API):
        url = url_of(service, "LAGO_FRONT_URL")
        if url is None or local(url.host) or unknown(url.host):
            continue
        if url.host != url.host.lower() or (url.port or 443) not in (80, 443) and _routed(model, url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL is {url.host}{f':{url.port}' if url.port else ''}, which no browser sends as "
                "its origin",
                impact="CORS never matches: nobody can log in",
                fix=f"LAGO_FRONT_URL: https://{url.host.lower()}",
            )
        elif internal(url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL is {url.scheme}://{url.host}, which no browser has as origin",
                impact="CORS never matches: nobody can log in",
                fix=f"LAGO_FRONT_URL: https://{settings.hosts.front}",
            )
