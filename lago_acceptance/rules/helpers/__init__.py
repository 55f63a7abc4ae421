"""What several rules look up in a model. No rule is registered here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import cache

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings, load
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import given_later, shape, unknown
from lago_acceptance.lago.key_loading import (
    KeyReading,
    key_reading,
)
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import Model, Network, Service
from lago_acceptance.model.interpolation import nested, uses
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    labels_of,
    routers,
)
from lago_acceptance.shell.words import name_of

VAULT_TOKENS = ("VAULT_TOKEN", "BAO_TOKEN")
# What Vault and OpenBao make: service, batch and recovery tokens, and those of versions before 1.0.
_MADE_BY_VAULT = re.compile(
    r"(?:hv)?[sbr]\.[A-Za-z0-9_-]{20,}(?:\.\w+)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
OBJECT_STORES = ("LAGO_USE_AWS_S3", "LAGO_USE_GCS")


def chosen_token(name: str, value: str) -> bool:
    """Whether a variable has a token of Vault that somebody chose, and Vault didn't make."""
    if name not in VAULT_TOKENS or not value or unknown(value) or list(uses(value)):
        return False
    if is_masked(value):
        return shape(value) in ("default", "placeholder")
    # An UUID of zeros is none that Vault made.
    return not _MADE_BY_VAULT.fullmatch(value.strip()) or len(set(value)) < 6


def variable(service: Service, name: str) -> tuple[str | int, ...]:
    """The YAML path of a variable in the compose file."""
    return ("services", service.name, "environment", name)


def part(service: Service, *key: str | int) -> tuple[str | int, ...]:
    """The YAML path of another part of a service."""
    return ("services", service.name, *key)


def start(service: Service) -> tuple[str | int, ...]:
    """The YAML path of what a service starts: its command, else its entrypoint."""
    return part(service, "command" if service.command else "entrypoint")


def lago(model: Model) -> tuple[Service, ...]:
    """The services that run Lago's Ruby code: migrate, api, worker and clock."""
    return model.of_role(*LAGO_RUBY)


def reference(model: Model) -> Service | None:
    """The service that the others of Lago must agree with: the API, else the first."""
    return next(iter((*model.of_role(API), *lago(model))), None)


def mentioned(model: Model, service: Service, name: str) -> bool:
    """Whether the service's own commands or scripts use a variable."""
    check = " ".join(service.healthcheck.test) if service.healthcheck else ""
    scripts = (model.files.get(mount.source) or "" for mount in service.mounts)
    return any(name in text for text in (service.full_command, check, *scripts))


def unset_note(model: Model, service: Service, name: str) -> str:
    """``` (NAME is unset, so the value is empty)`` if that is why a variable is empty, else ""."""
    if name in service.environment and service.environment[name] is None:
        return " (it comes from the shell of whoever deploys, and nothing sets it there)"
    source = model.source
    text = source.text(service.name, name) if source else None
    if source is None or not text:
        return ""
    for unset in sorted(source.unset):
        if re.search(rf"\$\{{?{re.escape(unset)}\b", text):
            return f" ({unset} is unset, so the value is empty)"
    return ""


def left_blank(model: Model, text: str) -> bool:
    """Whether a text lacks a part because nothing sets its variable, which is reported on its own."""
    return any(given_later(name) in text for name in (model.source.blank if model.source else ()))


def at_deploy(model: Model, service: Service, *names: str) -> Severity | None:
    """A warning if variables are empty only because the deploy's environment isn't known here; else None."""
    known = model.source is None or model.source.environment_known
    only = not known and all(unset_note(model, service, name) for name in names)
    return Severity.WARNING if only else None


def url_of(service: Service, name: str) -> ServiceUrl | None:
    """A variable as a URL, None if it is unset or no URL."""
    value = service.value(name)
    return service_url(value) if value else None


def named(model: Model, host: str) -> tuple[Service, ...]:
    """The services that a host name resolves to inside of the deployment's networks."""
    return tuple(
        service
        for service in model.services
        if host in (service.name, service.container_name)
        or any(host in aliases for aliases in service.networks.values())
    )


def service_at(model: Model, host: str) -> str:
    """What a host name means: the service that it resolves to, else the name itself. Two names may mean one service."""
    return next((service.name for service in named(model, host)), host)


def elsewhere(model: Model, host: str) -> bool:
    """Whether a host has a domain that is not the deployment's own: not that of an alias, and no missing alias of a service."""
    first, dot, domain = host.partition(".")
    aliases = (alias for service in model.services for names in service.networks.values() for alias in names)
    own = {alias.partition(".")[2] for alias in aliases if "." in alias}
    forgotten = internal(host) and any(service.name == first for service in model.services)
    # Without networks of its own a service has no alias either; that is reported as what it is.
    nameless = any(service.network_mode for service in model.of_role(DB, REDIS, PDF))
    return bool(dot) and (nameless or domain not in own and not forgotten)


def reachable(model: Model, one: Service, other: Service) -> bool:
    """Whether two services share a network."""
    if one.network_mode or other.network_mode:
        return True
    return bool(
        {model.network_name(key) for key in one.networks}
        & {model.network_name(key) for key in other.networks}
    )


def on_external_network(model: Model, service: Service) -> bool:
    """Whether containers outside of this model can share a network with the service."""
    external = {network.key for network in model.networks if network.external}
    return bool(service.network_mode) or any(key in external for key in service.networks)


def joinable(model: Model, network: Network) -> bool:
    """Whether other projects may be on a network: it is external, or has a fixed name. Containers don't show which of both."""
    refused = model.source is not None and model.source.compose_error
    fixed = network.name != f"{model.project}_{network.key}" and not unknown(network.name)
    return network.external or bool(fixed and not refused)


def local(host: str) -> bool:
    """Whether a host name means the machine itself."""
    return host in ("localhost", "::1", "0.0.0.0", "host.docker.internal") or host.startswith("127.")


def internal(host: str) -> bool:
    """Whether a host name can't be reached from the internet."""
    if not host or unknown(host):
        return False
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return local(host) or "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost"))


def proxy_networks(model: Model, settings: Settings) -> frozenset[str]:
    """Docker's names of the networks on which the reverse proxy finds its targets."""
    names = {settings.edge.proxy_network}
    for service in model.services:
        if label := labels_of(service).get("traefik.docker.network"):
            names.add(label)
    return frozenset(names)


def uses_object_store(service: Service) -> bool:
    """Whether Lago stores its files in S3 or Google Cloud Storage."""
    return any(service.value(name) in ("true", "1") for name in OBJECT_STORES)


def agreement(
    model: Model, name: str, services: tuple[Service, ...] | None = None
) -> Iterator[tuple[Service, Service, str, str]]:
    """Services whose variable differs from the reference's: (service, reference, its value, the reference's).

    Absent values and values that are only set at deploy time are not compared.
    """
    first = reference(model)
    if first is None or not first.value(name) or unknown(first.value(name)):
        return
    for service in services or lago(model):
        value = service.value(name)
        if service is not first and value and not unknown(value) and value != first.value(name):
            yield service, first, value, first.value(name)


def has_api(model: Model) -> bool:
    """Whether the model contains Lago's API; without one, other services aren't missing."""
    return bool(model.of_role(API))


def data_services(model: Model) -> tuple[Service, ...]:
    """Database and Redis."""
    return model.of_role(DB, REDIS)


def stores(model: Model) -> Iterator[tuple[Service, str]]:
    """Every PostgreSQL and Redis with its role (DB or REDIS): by the role's images, or because Lago's URLs name it.

    The second finds images that only a gate can judge, such as Bitnami's PostgreSQL.
    """
    yield from ((service, service.role or "") for service in data_services(model))
    by_url: dict[str, tuple[Service, str]] = {}
    for name, (role, *_) in PARTNERS:
        if role in _STORE_IMAGE:
            hosts = {url.host for service in lago(model) if (url := url_of(service, name))}
            by_url |= {each.name: (each, role) for host in hosts for each in named(model, host)}
    for service, role in by_url.values():
        image = service.image.partition("@")[0]
        if service.role is None and _STORE_IMAGE[role].search(image) and not _NO_STORE.search(image):
            yield service, role


def is_lagos(model: Model, service: Service) -> bool:
    """Whether a store is Lago's: one of its URLs names it, or none of them names a service of its role."""
    names = {role: name for name, (role, *_) in PARTNERS}
    hosts = {url.host for each in lago(model) if (url := url_of(each, names.get(service.role or "", "")))}
    theirs = [each for host in hosts for each in named(model, host)]
    return service in theirs or not theirs


_STORE_IMAGE = {
    DB: re.compile(r"(?i)postgres|pgvector|timescale|citus"),
    REDIS: re.compile(r"(?i)redis|valkey|keydb|dragonfly"),
}
_NO_STORE = re.compile(r"(?i)pool|bouncer|pgcat|proxy|sentinel|exporter|backup|admin|operator")


def texts(model: Model) -> Iterator[tuple[Service, str, str]]:
    """Each variable as the compose file declares it, before interpolation: (service, name, text)."""
    source = model.source
    if source is None:
        return
    for service in model.services:
        for name in service.environment:
            text = source.text(service.name, name)
            if text is not None:
                yield service, name, text


def api_name(model: Model, settings: Settings) -> str:
    """The API's public name for a remedy: that of the settings where they are this file's, else the file's own or an example."""
    own = settings.hosts.api if _of_this_deployment(settings) else ""
    return own or _public_name(model, API, settings.hosts.api, "billing-api.example.com")


def front_name(model: Model, settings: Settings) -> str:
    """The front's public name for a remedy, like ``api_name``."""
    own = settings.hosts.front if _of_this_deployment(settings) else ""
    return own or _public_name(model, FRONT, settings.hosts.front, "billing.example.com")


def proxy_network(model: Model, settings: Settings) -> str:
    """The name of the proxy's network for a remedy: that of the settings where they are this file's, else the file's own.

    "" where neither says it.
    """
    own, names = settings.edge.proxy_network, {network.name for network in model.networks}
    if own in names or _of_this_deployment(settings):
        return own
    labels = (service.labels.get("traefik.docker.network", "") for service in model.services)
    return next((label for label in labels if label and not unknown(label)), "")


def resolver_name(model: Model, settings: Settings) -> str:
    """The name of a certificate resolver for a remedy: one that the file uses, else that of the settings."""
    used = (router.resolver for service in model.services for router in routers(service))
    return next((name for name in used if name and not unknown(name)), settings.edge.resolver)


@cache
def _shipped() -> Settings:
    return load(SETTINGS)


def _of_this_deployment(settings: Settings) -> bool:
    """Whether somebody wrote the settings for the file at hand; those that come with the suite are of one deployment."""
    return (settings.hosts, settings.edge) != (_shipped().hosts, _shipped().edge)


def is_or_falls_back(model: Model, service: Service, name: str) -> str:
    """ "falls back to" where a variable has the default of one that is unset, else "is"."""
    source = model.source
    text = source.text(service.name, name) if source else None
    if source and text and any(use.default and use.name in source.unset for use in nested(text)):
        return "falls back to"
    return "is"


def store_of(service: Service) -> str:
    """What a store is called in a sentence."""
    return "Redis" if service.role == REDIS else "PostgreSQL"


def cannot_reach(name: str) -> str:
    """What happens to Lago where the host of a URL variable doesn't answer."""
    return _UNREACHABLE.get(name, "Lago can't reach it")


_UNREACHABLE = {
    "DATABASE_URL": "migrations fail, and every call answers 500",
    "REDIS_URL": "the worker exits, and calls that enqueue a job answer 500",
    "LAGO_REDIS_CACHE_URL": "nothing is cached, so calls take longer",
    "LAGO_PDF_URL": "invoices get no PDF, and each leaves a dead job",
}


def _public_name(model: Model, role: str, own: str, example: str) -> str:
    hosts = [host for service in model.of_role(role) for router in routers(service) for host in router.hosts]
    of_file = [host for host in hosts if not unknown(host) and "." in host]
    values = (value or "" for service in model.services for value in service.environment.values())
    if own in of_file or any(own in value for value in values):
        return own
    return of_file[0] if of_file else example


OURS = (DB, REDIS, MIGRATE, API, WORKER, CLOCK, FRONT, PDF)


def public(model: Model) -> tuple[Service, ...]:
    """The services that are reachable from the internet: API and front."""
    return model.of_role(API, FRONT)


def all_routers(model: Model) -> list[LabelRouter]:
    """Every router of the API and the front."""
    return [router for service in public(model) for router in routers(service)]


def known_hosts(router: LabelRouter) -> list[str]:
    """The hosts of a router's rule that don't depend on the deploy."""
    return [host for host in router.hosts if not unknown(host)]


KEY_ERROR_AT_BOOT = (
    "OpenSSL::PKey::RSAError at boot: migrate, api, worker and clock exit 1 and restart forever"
)
KEY_FIX = (
    "set LAGO_RSA_PRIVATE_KEY to the output of `base64 -w0 < key.pem`, or mount the PEM read-only and let "
    "RUBYOPT=-r/run/lago/rsa_key (rsa_key.rb) or a wrapper with `base64 -w0` set the variable in the "
    "container"
)


# A dozen rules ask for the keys of one model after each other, and following what sets them takes half of their time.
_read: tuple[Model, Settings, tuple[tuple[Service, KeyReading], ...]] | None = None


def readings(model: Model, settings: Settings) -> tuple[tuple[Service, KeyReading], ...]:
    """Each service that runs Lago's Ruby code, with the RSA key that it would load; the last answer is remembered."""
    global _read
    known = _read
    if known is None or known[0] is not model or known[1] is not settings:
        found = (
            (service, key_reading(service, model, settings))
            for service in model.of_role(*LAGO_RUBY)
            if service.value("RAILS_ENV") not in ("development", "test")
        )
        known = _read = (model, settings, tuple(found))
    return known[2]


PARTNERS = (
    ("DATABASE_URL", (DB,)),
    ("REDIS_URL", (REDIS,)),
    ("LAGO_REDIS_CACHE_URL", (REDIS,)),
    ("LAGO_PDF_URL", (PDF,)),
)


LONG_RUNNING = (DB, REDIS, API, WORKER, CLOCK, FRONT, PDF)


def default_directory(service: Service) -> str:
    """The data directory of a PostgreSQL image, unless PGDATA is set."""
    if "bitnami" in service.image:
        return "/bitnami/postgresql"
    found = re.search(r"postgres:(\d+)(?:[.@-]|beta|rc|$)", service.image)
    return "/var/lib/postgresql" if found and int(found[1]) >= 18 else "/var/lib/postgresql/data"


_SERVERS = {
    DB: ("postgres",),
    REDIS: ("redis-server", "valkey-server"),
    PDF: ("gotenberg",),
    FRONT: ("nginx",),
}


def serves(service: Service) -> bool:
    """Whether a service is known to run on: its role's server is what it starts, and no job that ends."""
    words = (*service.entrypoint, *service.command)
    names = [name_of(word) for word in words]
    if service.role == API:
        text = " ".join(words)
        own = stock_image(service) and not words
        return own or bool(re.search(r"scripts/start\.(api\.)?sh|\b(rails (s|server)|puma)\b", text))
    if service.role in (WORKER, CLOCK):
        text = " ".join(words)
        return bool(re.search(r"scripts/start\.(\w+\.)?(worker|clock)\.sh|\b(sidekiq|clockwork)\b", text))
    servers = _SERVERS.get(service.role or "", ())
    given = not service.entrypoint and bool(words) and words[0].startswith("-")
    return not words or given or names == ["docker-entrypoint.sh"] or any(each in servers for each in names)
