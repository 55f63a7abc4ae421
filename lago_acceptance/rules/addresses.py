"""Rules about the URLs that browsers and services use: who must reach whom, and under which name."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.findings import Severity
from lago_acceptance.model import Model
from lago_acceptance.roles import API, DB, FRONT, LAGO_RUBY, PDF, REDIS
from lago_acceptance.rules import Hit, rule
from lago_acceptance.rules.looking import (
    at_deploy,
    internal,
    lago,
    local,
    named,
    on_external_network,
    part,
    reachable,
    url_of,
    variable,
    written_unset,
)
from lago_acceptance.settings import Settings
from lago_acceptance.traefik import routers
from lago_acceptance.values import service_url, unknown


@rule("api-url-internal", phase=2)
def api_url(model: Model, settings: Settings) -> Iterator[Hit]:
    """LAGO_API_URL is the API's public https URL.

    Lago writes it into links to PDFs and into the webhooks' issuer; Docker's name of the service is right for
    the gateway alone.
    """
    for service in lago(model):
        url = url_of(service, "LAGO_API_URL")
        if url is None or unknown(url.host):
            continue
        if internal(url.host):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                wrong=f"LAGO_API_URL is {url.scheme}://{url.host}, which only this host knows",
                leads_to="links to PDFs and the issuer of webhooks point to nowhere",
                mend=f"LAGO_API_URL: https://{settings.hosts.api}",
            )
        elif url.scheme != "https":
            yield Hit(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=Severity.WARNING,
                wrong="LAGO_API_URL is not an https URL",
                leads_to="links to PDFs go over plain http",
                mend=f"LAGO_API_URL: https://{url.host}",
            )


@rule("api-url-missing", phase=2)
def api_url_missing(model: Model, settings: Settings) -> Iterator[Hit]:
    """The API knows its public URL (LAGO_API_URL)."""
    for service in model.of_role(API):
        if unknown(service.value("LAGO_API_URL")):
            continue
        if url_of(service, "LAGO_API_URL") is None and not service.value("LAGO_DOMAIN"):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_API_URL"),
                severity=at_deploy(model, service, "LAGO_API_URL"),
                wrong=f"LAGO_API_URL is not set{written_unset(model, service, 'LAGO_API_URL')}",
                leads_to="invoices that have a PDF answer 500, and webhooks have no issuer",
                mend=f"LAGO_API_URL: https://{settings.hosts.api}",
            )


@rule("front-api-url-missing", phase=2)
def front_missing(model: Model, settings: Settings) -> Iterator[Hit]:
    """The front knows the API's public URL (API_URL).

    Without it the browser posts to /undefined/graphql on the front itself: 405, "Something went wrong", while
    every container is healthy.
    """
    for service in model.of_role(FRONT):
        if not service.value("API_URL") and not service.value("LAGO_DOMAIN"):
            yield Hit(
                service=service,
                at=variable(service, "API_URL"),
                severity=at_deploy(model, service, "API_URL"),
                wrong=f"API_URL is not set on the front{written_unset(model, service, 'API_URL')}",
                leads_to="the browser posts to /undefined/graphql: 405, nobody can log in",
                mend=f"API_URL: https://{settings.hosts.api}",
            )


@rule("front-api-url-internal", phase=2)
def front_internal(model: Model, settings: Settings) -> Iterator[Hit]:
    """The front's API_URL is a name that a browser can reach, by https."""
    for service in model.of_role(FRONT):
        url = url_of(service, "API_URL")
        if service.value("API_URL") and url is None and not unknown(service.value("API_URL")):
            yield Hit(
                service=service,
                at=variable(service, "API_URL"),
                wrong="API_URL has no scheme, so the browser takes it as a path of the front",
                leads_to="405 from the front itself: nobody can log in",
                mend=f"API_URL: https://{settings.hosts.api}",
            )
        elif url and internal(url.host):
            yield Hit(
                service=service,
                at=variable(service, "API_URL"),
                wrong=f"API_URL is {url.scheme}://{url.host}, which no browser out there reaches",
                leads_to="the login page shows, and every login fails",
                mend=f"API_URL: https://{settings.hosts.api}",
            )
        elif url and url.scheme != "https" and not unknown(url.host):
            yield Hit(
                service=service,
                at=variable(service, "API_URL"),
                severity=Severity.WARNING,
                wrong="API_URL is not an https URL",
                leads_to="a page served by https may not call it (mixed content)",
                mend=f"API_URL: https://{url.host}",
            )


def _cors_default(model: Model, name: str) -> bool:
    text = model.written.text(name, "LAGO_FRONT_URL") if model.written else None
    return (
        bool(text)
        and (":-http://localhost" in text or "-http://127." in text)
        and not model.written.environment_known
    )


@rule("cors-front-url-missing", phase=2)
def cors_missing(model: Model, settings: Settings) -> Iterator[Hit]:
    """The API knows the front's public URL (LAGO_FRONT_URL), with its scheme.

    It is the one origin that the API admits. Without it, or without its scheme, CORS matches nothing and no
    browser can log in.
    """
    for service in model.of_role(API):
        value = service.value("LAGO_FRONT_URL")
        if not value and not service.value("LAGO_DOMAIN"):
            wrong = f"LAGO_FRONT_URL is not set on the API{written_unset(model, service, 'LAGO_FRONT_URL')}"
        elif value and service_url(value) is None and not unknown(value):
            wrong = "LAGO_FRONT_URL has no scheme, so its origin is empty"
        elif (url := service_url(value)) is not None and not url.host:
            wrong = f"LAGO_FRONT_URL names no host{written_unset(model, service, 'LAGO_FRONT_URL')}"
        else:
            continue
        yield Hit(
            service=service,
            at=variable(service, "LAGO_FRONT_URL"),
            severity=at_deploy(model, service, "LAGO_FRONT_URL"),
            wrong=wrong,
            leads_to='no CORS origin: the page loads, and logging in says "An error occurred"',
            mend=f"LAGO_FRONT_URL: https://{settings.hosts.front}",
        )


@rule("cors-front-url-localhost-default", phase=2)
def cors_localhost(model: Model, settings: Settings) -> Iterator[Hit]:
    """LAGO_FRONT_URL doesn't fall back to localhost."""
    for service in model.of_role(API):
        url = url_of(service, "LAGO_FRONT_URL")
        if url and local(url.host) or _cors_default(model, service.name):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                wrong="LAGO_FRONT_URL is, or falls back to, localhost",
                leads_to="the API admits nobody but a browser on the server itself: no login",
                mend=f"LAGO_FRONT_URL: https://{settings.hosts.front}",
            )


def _routed(model: Model, host: str) -> bool:
    """Whether Traefik answers to a name: on 80 and 443, that is."""
    return any(host in router.hosts for service in model.services for router in routers(service))


@rule("cors-front-url-internal", phase=2)
def cors_internal(model: Model, settings: Settings) -> Iterator[Hit]:
    """LAGO_FRONT_URL is the name that people type, not Docker's.

    It is compared with what a browser sends: small letters, and a port only where it isn't 80 or 443.
    """
    for service in model.of_role(API):
        url = url_of(service, "LAGO_FRONT_URL")
        if url is None or local(url.host) or unknown(url.host):
            continue
        if url.host != url.host.lower() or (url.port or 443) not in (80, 443) and _routed(model, url.host):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                wrong=f"LAGO_FRONT_URL is {url.host}{f':{url.port}' if url.port else ''}, which no browser sends as "
                "its origin",
                leads_to="CORS never matches: nobody can log in",
                mend=f"LAGO_FRONT_URL: https://{url.host.lower()}",
            )
        elif internal(url.host):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_FRONT_URL"),
                wrong=f"LAGO_FRONT_URL is {url.scheme}://{url.host}, which no browser has as origin",
                leads_to="CORS never matches: nobody can log in",
                mend=f"LAGO_FRONT_URL: https://{settings.hosts.front}",
            )


_PARTNERS = (
    ("DATABASE_URL", (DB,)),
    ("REDIS_URL", (REDIS,)),
    ("LAGO_REDIS_CACHE_URL", (REDIS,)),
    ("LAGO_PDF_URL", (PDF,)),
)


@rule("wrong-network", phase=2)
def networks(model: Model, settings: Settings) -> Iterator[Hit]:
    """A service shares a network with every host that its URLs name; Traefik's label names a network that it is on.

    The label holds Docker's name of the network: one that isn't external is called <project>_<key> there.
    """
    for service in lago(model):
        for name, _ in _PARTNERS:
            url = url_of(service, name)
            partners = named(model, url.host) if url else ()
            if partners and not any(reachable(model, service, partner) for partner in partners):
                yield Hit(
                    service=service,
                    at=part(service, "networks"),
                    wrong=f"it shares no network with {partners[0].name}, which {name} names",
                    leads_to="the name doesn't resolve: could not translate host name",
                    mend="put both on one network",
                )
    for service in model.services:
        label = service.labels.get("traefik.docker.network")
        if not label or unknown(label) or not any(".routers." in key for key in service.labels):
            continue
        names = {model.network_name(key) for key in service.networks}
        if (
            label not in names
            and not (model.observed and label in service.networks)
            and not service.network_mode
        ):
            yield Hit(
                service=service,
                at=part(service, "labels", "traefik.docker.network"),
                wrong=f"traefik.docker.network says {label}, but it is on "
                f"{', '.join(sorted(names)) or 'no network'}",
                leads_to="Traefik has no address for it: 504 or 404 at its public name",
                mend="name a network that it shares with Traefik, external: true",
            )


@rule("host-unknown", phase=2)
def host_unknown(model: Model, settings: Settings) -> Iterator[Hit]:
    """Every host without a domain that Lago's URLs name is a service of the file.

    Not judged where Lago is on an external network: such a host may live there. Where nothing makes PDFs,
    no-pdf-service says so.
    """
    if model.observed:
        return
    for service in model.of_role(*LAGO_RUBY):
        for name, roles in _PARTNERS:
            url = url_of(service, name)
            if (
                url is None
                or not url.host
                or "." in url.host
                or local(url.host)
                or unknown(url.host)
                or url.host in service.extra_hosts
            ):
                continue
            if not url.host.replace("-", "").replace("_", "").isalnum() or url.raw_password:
                continue
            elsewhere = on_external_network(model, service) and not model.of_role(*roles)
            told = roles == (PDF,) and not model.of_role(PDF)
            if not named(model, url.host) and not elsewhere and not told:
                yield Hit(
                    service=service,
                    at=variable(service, name),
                    wrong=f"{name} names {url.host}, but no service here is called so",
                    leads_to="invoices without PDFs, and a dead job for each"
                    if roles == (PDF,)
                    else "could not translate host name: migrations fail, the worker exits",
                    mend="use the service's name as host",
                )


@rule("localhost-in-container", phase=2)
def localhost(model: Model, settings: Settings) -> Iterator[Hit]:
    """No URL to database, Redis or PDF service names localhost: inside of a container that is the container itself."""
    for service in lago(model):
        for name, _ in _PARTNERS:
            url = url_of(service, name)
            if (
                url
                and local(url.host)
                and url.host != "host.docker.internal"
                and service.network_mode != "host"
            ):
                yield Hit(
                    service=service,
                    at=variable(service, name),
                    wrong=f"{name} names {url.host}, which is the container itself",
                    leads_to="connection refused: migrations fail, the worker exits, or invoices have no PDF",
                    mend="use the service's name as host",
                )


@rule("vault-unreachable-network", phase=2)
def vault_unreachable(model: Model, settings: Settings) -> Iterator[Hit]:
    """A secret store that a service waits for is on one of its networks."""
    for service in model.services:
        url = url_of(service, "VAULT_ADDR")
        if url is None or "." in url.host or unknown(url.host) or "vault" in service.image.rsplit("/", 1)[-1]:
            continue
        stores = named(model, url.host)
        lost = stores and not any(reachable(model, service, store) for store in stores)
        nobody = (
            not stores and not on_external_network(model, service) and url.host not in service.extra_hosts
        )
        if lost or nobody:
            yield Hit(
                service=service,
                at=variable(service, "VAULT_ADDR"),
                wrong=f"it shares no network with {url.host}, the secret store that VAULT_ADDR names",
                leads_to='it waits for its secrets for ever ("waiting for Vault") and nothing starts',
                mend="put both on one network, external where the store is another project's",
            )


@rule("vault-dev-mode-dependency", phase=2)
def vault_dev(model: Model, settings: Settings) -> Iterator[Hit]:
    """No secret that Lago needs lies in a Vault in development mode, which forgets everything when it restarts."""
    for service in model.services:
        name = service.image.rsplit("/", 1)[-1].partition(":")[0]
        development = "-dev" in service.full_command.split() or any(
            key.startswith("VAULT_DEV_") for key in service.environment
        )
        if ("vault" in name or "openbao" in name) and development:
            yield Hit(
                service=service,
                at=part(service, "command" if "-dev" in service.full_command.split() else "environment"),
                wrong="Vault runs in development mode: its secrets are in memory",
                leads_to="after its next restart every secret is gone, and nothing that reads them starts",
                mend="run it with a storage, sealed, or give the secrets by an environment file",
            )
            return
    for service in lago(model):
        token = service.value("VAULT_TOKEN")
        if token in ("root", "dev-token", "dev-root-token", "myroot"):
            yield Hit(
                service=service,
                at=variable(service, "VAULT_TOKEN"),
                wrong="VAULT_TOKEN is a development root token: that Vault keeps its secrets in memory",
                leads_to="after Vault's next restart every secret is gone, and nothing starts",
                mend="run Vault with a storage, or give the secrets by an environment file",
            )
