"""What several rules look for in a model. No rule is registered here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.key_loading import (
    KeyReading,
    key_reading,
)
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    routers,
)

OBJECT_STORES = ("LAGO_USE_AWS_S3", "LAGO_USE_GCS")


def variable(service: Service, name: str) -> tuple[str | int, ...]:
    """The way to a variable in the compose file."""
    return ("services", service.name, "environment", name)


def part(service: Service, *key: str | int) -> tuple[str | int, ...]:
    """The way to something else of a service."""
    return ("services", service.name, *key)


def lago(model: Model) -> tuple[Service, ...]:
    """migrate, api, worker and clock, as far as there are any."""
    return model.of_role(*LAGO_RUBY)


def reference(model: Model) -> Service | None:
    """The service that the others of Lago must agree with: the API, else the first."""
    return next(iter((*model.of_role(API), *lago(model))), None)


def written_unset(model: Model, service: Service, name: str) -> str:
    """`` (NAME is unset, which Compose makes an empty text)`` where that is why a variable is empty, else ""."""
    if name in service.environment and service.environment[name] is None:
        return " (it is taken from the shell of whoever deploys, where nothing sets it)"
    text = model.written.text(service.name, name) if model.written else None
    for unset in sorted(model.written.unset) if model.written and text else ():
        if re.search(rf"\$\{{?{re.escape(unset)}\b", text):
            return f" ({unset} is unset, which Compose makes an empty text)"
    return ""


def at_deploy(model: Model, service: Service, *names: str) -> Severity | None:
    """A warning where variables are empty only because nobody knows the deploy's environment; else the rule's own."""
    known = model.written is None or model.written.environment_known
    only = not known and all(written_unset(model, service, name) for name in names)
    return Severity.WARNING if only else None


def url_of(service: Service, name: str) -> ServiceUrl | None:
    """A variable as a URL, None where it is none or isn't known."""
    value = service.value(name)
    return service_url(value) if value else None


def named(model: Model, host: str) -> tuple[Service, ...]:
    """The services that a host name can mean inside of the deployment's networks."""
    return tuple(
        service
        for service in model.services
        if host in (service.name, service.container_name)
        or any(host in aliases for aliases in service.networks.values())
    )


def reachable(model: Model, one: Service, other: Service) -> bool:
    """Whether two services share a network."""
    if one.network_mode or other.network_mode:
        return True
    return bool(
        {model.network_name(key) for key in one.networks}
        & {model.network_name(key) for key in other.networks}
    )


def on_external_network(model: Model, service: Service) -> bool:
    """Whether somebody outside of this model can share a network with the service."""
    external = {network.key for network in model.networks if network.external}
    return bool(service.network_mode) or any(key in external for key in service.networks)


def local(host: str) -> bool:
    """Whether a host name means the reader's own machine."""
    return host in ("localhost", "::1", "0.0.0.0", "host.docker.internal") or host.startswith("127.")


def internal(host: str) -> bool:
    """Whether a browser out there can't reach a host of this name."""
    if not host or unknown(host):
        return False
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return local(host) or "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost"))


def proxy_networks(model: Model, settings: Settings) -> frozenset[str]:
    """Docker's names of the networks on which a reverse proxy looks for its targets."""
    names = {settings.edge.proxy_network}
    for service in model.services:
        if label := service.labels.get("traefik.docker.network"):
            names.add(label)
    return frozenset(names)


def stores_elsewhere(service: Service) -> bool:
    """Whether Lago keeps its files in an object store."""
    return any(service.value(name) in ("true", "1") for name in OBJECT_STORES)


def agreement(
    model: Model, name: str, services: tuple[Service, ...] | None = None
) -> Iterator[tuple[Service, Service, str, str]]:
    """The services whose variable differs from the reference's: (service, reference, its value, the reference's).

    Absent values are not compared; those that are given at deploy time only where they are the same text.
    """
    first = reference(model)
    if first is None or not first.value(name) or unknown(first.value(name)):
        return
    for service in services or lago(model):
        value = service.value(name)
        if service is not first and value and not unknown(value) and value != first.value(name):
            yield service, first, value, first.value(name)


def uses(model: Model) -> bool:
    """Whether there is an API of Lago in the model at all: else there is nothing to miss."""
    return bool(model.of_role(API))


def data_services(model: Model) -> tuple[Service, ...]:
    """Database and Redis."""
    return model.of_role(DB, REDIS)


def texts(model: Model) -> Iterator[tuple[Service, str, str]]:
    """Each variable as it was written: (service, name, text)."""
    for service in model.services if model.written else ():
        for name in service.environment:
            text = model.written.text(service.name, name)
            if text is not None:
                yield service, name, text


OURS = (DB, REDIS, MIGRATE, API, WORKER, CLOCK, FRONT, PDF)


def public(model: Model) -> tuple[Service, ...]:
    """The services that the world reaches: API and front."""
    return model.of_role(API, FRONT)


def all_routers(model: Model) -> list[LabelRouter]:
    """Every router of API and front."""
    return [router for service in public(model) for router in routers(service)]


def named_hosts(router: LabelRouter) -> list[str]:
    return [host for host in router.hosts if not unknown(host)]


DIES = "OpenSSL::PKey::RSAError at boot: migrate, api, worker and clock exit 1 and restart for ever"
FIX = (
    "give Lago base64 of the PEM: `base64 -w0 < key.pem` as LAGO_RSA_PRIVATE_KEY, or mount the PEM read-only "
    "and let "
    "RUBYOPT=-r/run/lago/rsa_key (rsa_key.rb) or a wrapper with `base64 -w0` set the variable in the "
    "container"
)


def readings(model: Model, settings: Settings) -> Iterator[tuple[Service, KeyReading]]:
    """Each service that runs Lago's Ruby, with what it would find as its key."""
    for service in model.of_role(*LAGO_RUBY):
        if service.value("RAILS_ENV") not in ("development", "test"):
            yield service, key_reading(service, model, settings)


PARTNERS = (
    ("DATABASE_URL", (DB,)),
    ("REDIS_URL", (REDIS,)),
    ("LAGO_REDIS_CACHE_URL", (REDIS,)),
    ("LAGO_PDF_URL", (PDF,)),
)


LONG_RUNNING = (DB, REDIS, API, WORKER, CLOCK, FRONT, PDF)


def default_directory(service: Service) -> str:
    """Where a PostgreSQL image keeps its data, unless PGDATA says otherwise."""
    if "bitnami" in service.image:
        return "/bitnami/postgresql"
    found = re.search(r"postgres:(\d+)", service.image)
    return "/var/lib/postgresql" if found and int(found[1]) >= 18 else "/var/lib/postgresql/data"
