"""Rules about the public URLs of API and front."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import PublicUrl, ServiceUrl, public_url, service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_labels import routers
from lago_acceptance.model.way_in import Address, Scope, scope_of, way_in
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import at_deploy, lago, unset_note, variable
from lago_acceptance.rules.helpers.hosts import url_of
from lago_acceptance.rules.helpers.remedies import api_url, front_url, is_or_falls_back


def _where(url: ServiceUrl | PublicUrl) -> str:
    """A URL as far as its host and port, for a message."""
    return f"{url.scheme}://{url.host}{f':{url.port}' if isinstance(url, ServiceUrl) and url.port else ''}"


def _too_narrow(model: Model, settings: Settings, service: Service, name: str) -> str:
    """Why browsers that reach the rest can't use the URL in a variable, "" where they can, or where it isn't known.

    http://localhost and addresses of a LAN are right where all URLs are of that kind.
    """
    url = public_url(service.value(name)) if "://" in service.value(name) else None
    if url is None or unknown(service.value(name)):
        return ""
    own, way = scope_of(model, url), way_in(model, settings)
    if own == Scope.CONTAINERS and url.host in ("0.0.0.0", "::"):
        return "which is an address to listen on, and none to connect to"
    if own == Scope.CONTAINERS:
        return "which only containers on this host can resolve"
    if way.scope is None or own >= way.scope:
        return ""
    only = (
        "which only browsers on the server itself reach"
        if own == Scope.MACHINE
        else "which only its own network reaches"
    )
    widest = way.widest
    if way.platform or widest is None:
        return f"{only}, while {way.platform or 'the proxy'} serves public names"
    return f"{only}, while {_named(model, widest)} is {widest.url}"


def _named(model: Model, address: Address) -> str:
    """What gives an address, with its line where that is known."""
    path, line = model.source.place(address.at) if model.source and address.at else ("", None)
    return f"{address.by} ({path}:{line})" if line else address.by


def _mixed(model: Model, settings: Settings, role: str) -> str:
    """A https URL of UI or API, where there is one: then a http URL of the same deployment is a mistake."""
    return next(
        (_named(model, each) for each in way_in(model, settings).addresses if each.url.scheme == "https"), ""
    )


@rule(phase=2)
def api_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_API_URL is a URL of the API that browsers and receivers of webhooks reach.

    Lago puts it into links to PDFs and into the issuer of webhooks. The service's name in Docker only works
    for containers such as the gateway; localhost only where the UI is reached there as well.
    """
    for service in lago(model):
        url = url_of(service, "LAGO_API_URL")
        if url is None or unknown(url.host):
            continue
        if why := _too_narrow(model, settings, service, "LAGO_API_URL"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                problem=f"LAGO_API_URL {is_or_falls_back(model, service, 'LAGO_API_URL')} {_where(url)}, {why}",
                impact="links to PDFs and the issuer of webhooks point nowhere",
                fix=f"set LAGO_API_URL: {api_url(model, settings)}",
            )
        elif url.scheme != "https" and (secured := _mixed(model, settings, API)):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=Severity.WARNING,
                problem=f"LAGO_API_URL is not an https URL, while {secured} has one",
                impact="links to PDFs go over plain http",
                fix=f"set LAGO_API_URL: https://{url.host}",
            )


def _one_of_many(model: Model, service: Service, name: str) -> bool:
    """Whether a variable is empty because nothing here sets what the deploy does: variable-unset names them all."""
    blank = model.source.blank if model.source else {}
    return len(blank) > _SEVERAL and at_deploy(model, service, name) is not None


_SEVERAL = 3


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
        if unknown(service.value("LAGO_API_URL")) or _one_of_many(model, service, "LAGO_API_URL"):
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
                fix=f"set LAGO_API_URL: {api_url(model, settings)}",
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
        if (
            not service.value("API_URL")
            and not service.value("LAGO_DOMAIN")
            and not _one_of_many(model, service, "API_URL")
        ):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                severity=at_deploy(model, service, "API_URL"),
                problem=f"API_URL is not set{unset_note(model, service, 'API_URL')}",
                impact="the browser posts to /undefined/graphql and gets 405: every login fails",
                fix=f"set API_URL: {api_url(model, settings)}",
            )


@rule(phase=2)
def front_api_url_internal(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front's API_URL is a URL that browsers can reach: https where the UI has https."""
    for service in model.of_role(FRONT):
        url = url_of(service, "API_URL")
        if service.value("API_URL") and url is None and not unknown(service.value("API_URL")):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                problem="API_URL has no scheme, so the browser treats it as a path on the front",
                impact="the front answers 405: every login fails",
                fix=f"set API_URL: {api_url(model, settings)}",
            )
        elif url and (why := _too_narrow(model, settings, service, "API_URL")):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                problem=f"API_URL {is_or_falls_back(model, service, 'API_URL')} {_where(url)}, {why}",
                impact="the login page loads, but every login fails",
                fix=f"set API_URL: {api_url(model, settings)}",
            )
        elif (
            url
            and url.scheme != "https"
            and not unknown(url.host)
            and (secured := _mixed(model, settings, FRONT))
        ):
            yield Violation(
                service=service,
                at=variable(service, "API_URL"),
                severity=Severity.WARNING,
                problem=f"API_URL is not an https URL, while {secured} has one",
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
    browser can log in. Not judged without a front.
    """
    for service in model.of_role(API) if model.of_role(FRONT) else ():
        value = service.value("LAGO_FRONT_URL")
        if _one_of_many(model, service, "LAGO_FRONT_URL"):
            continue
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
            fix=f"set LAGO_FRONT_URL: {front_url(model, settings)}",
        )


@rule(phase=2)
def cors_front_url_localhost_default(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_FRONT_URL is not localhost, and doesn't fall back to it, where browsers come from elsewhere."""
    way = way_in(model, settings)
    for service in model.of_role(API):
        url = public_url(service.value("LAGO_FRONT_URL")) if url_of(service, "LAGO_FRONT_URL") else None
        here = url is not None and scope_of(model, url) == Scope.MACHINE
        elsewhere = way.scope is not None and way.scope > Scope.MACHINE
        falls_back = _falls_back_to_localhost(model, service.name)
        if elsewhere and (here or falls_back):
            why = _too_narrow(model, settings, service, "LAGO_FRONT_URL") if here else ""
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL {is_or_falls_back(model, service, 'LAGO_FRONT_URL')} "
                + (f"{url}, {why}" if why else "localhost"),
                impact="the API only allows browsers on the server itself: every login fails",
                fix=f"set LAGO_FRONT_URL: {front_url(model, settings)}",
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
        if url is None or unknown(url.host) or not url.host:
            continue
        seen = public_url(service.value("LAGO_FRONT_URL"))
        if seen and scope_of(model, seen) == Scope.MACHINE:
            continue
        port = f":{url.port}" if url.port else ""
        if url.host != url.host.lower() or (url.port or 443) not in (80, 443) and _routed(model, url.host):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL is {url.host}{port}, which no browser sends as its origin",
                impact="CORS never matches: every login fails",
                fix=f"set LAGO_FRONT_URL: {url.scheme}://{url.host.lower()}"
                + ("" if _routed(model, url.host) else port),
            )
        elif why := _too_narrow(model, settings, service, "LAGO_FRONT_URL"):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                problem=f"LAGO_FRONT_URL {is_or_falls_back(model, service, 'LAGO_FRONT_URL')} "
                f"{url.scheme}://{url.host}, {why}",
                impact="no browser sends it as its origin, so CORS never matches: every login fails",
                fix=f"set LAGO_FRONT_URL: {front_url(model, settings)}",
            )
