"""What several rules look up in a model. No rule is registered here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import given_later, shape, unknown
from lago_acceptance.lago.key_loading import (
    KeyReading,
    key_reading,
)
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import COMPLETED, HEALTHY, Model, Service
from lago_acceptance.model.interpolation import nested, uses
from lago_acceptance.model.once import once
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    network_labels,
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


def reference(model: Model, service: Service | None = None) -> Service | None:
    """The service that a service must agree with: the API, else the first of Lago's.

    A file may hold two Lagos, each with a database and a Redis of its own: then it is the API that has one of the service's.
    """
    apis = model.of_role(API)
    first = next(iter((*apis, *lago(model))), None)
    if service is None or first is None or len(apis) < 2:
        return first
    if service in apis:
        whole = all(service.value(name) for name, _ in _OF_ONE_LAGO[:2])
        return service if whole and not _of_one_lago(first, service) else first
    return next((api for api in apis if _of_one_lago(api, service)), first)


def _of_one_lago(api: Service, service: Service) -> bool:
    pairs = ((api.value(name), service.value(other)) for name, other in _OF_ONE_LAGO)
    return any(one and one == other for one, other in pairs)


# What an API shares with the other services of its Lago, by the names on both sides; the last with its front.
_OF_ONE_LAGO = (("DATABASE_URL", "DATABASE_URL"), ("REDIS_URL", "REDIS_URL"), ("LAGO_API_URL", "API_URL"))


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


@once
def required_names(model: Model) -> frozenset[str]:
    """The variables that the compose file requires somewhere: Compose stops where one of them is unset."""

    def of(part: object) -> Iterator[str]:
        if isinstance(part, str) and "?" in part:
            yield from (use.name for use in nested(part) if use.required)
        elif isinstance(part, dict):
            for each in part.values():
                yield from of(each)
        elif isinstance(part, list):
            for each in part:
                yield from of(each)

    return frozenset(of(model.source.document)) if model.source else frozenset()


def left_blank(model: Model, text: str) -> bool:
    """Whether a text lacks a part because nothing sets its variable, which is reported on its own."""
    return any(given_later(name) in text for name in (model.source.blank if model.source else ()))


def at_deploy(model: Model, service: Service, *names: str) -> Severity | None:
    """A warning if variables are empty only because the deploy's environment isn't known here; else None."""
    known = model.source is None or model.source.environment_known
    only = not known and all(unset_note(model, service, name) for name in names)
    return Severity.WARNING if only else None


def proxy_networks(model: Model, settings: Settings) -> frozenset[str]:
    """Docker's names of the networks on which the reverse proxy finds its targets."""
    names = {settings.edge.proxy_network} - {""}
    names.update(label for service in model.services for label in network_labels(service).values())
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
    for service in services or lago(model):
        first = reference(model, service)
        if first is None or not first.value(name) or unknown(first.value(name)):
            continue
        value = service.value(name)
        if service is not first and value and not unknown(value) and value != first.value(name):
            yield service, first, value, first.value(name)


def has_api(model: Model) -> bool:
    """Whether the model contains Lago's API; without one, other services aren't missing."""
    return bool(model.of_role(API))


def waits_until(model: Model, service: Service, other: Service, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a service starts only after another is healthy or has ended, directly or through its dependencies."""
    by_name = {each.name: each for each in model.services}
    for name, condition in service.depends_on.items():
        if name == other.name and condition in (HEALTHY, COMPLETED):
            return True
        between = by_name.get(name)
        if between and name not in seen and waits_until(model, between, other, seen | {service.name}):
            return True
    return False


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


@once
def readings(model: Model, settings: Settings) -> tuple[tuple[Service, KeyReading], ...]:
    """Each service that runs Lago's Ruby code, with the RSA key that it would load."""
    return tuple(
        (service, key_reading(service, model, settings))
        for service in model.of_role(*LAGO_RUBY)
        if service.value("RAILS_ENV") not in ("development", "test")
    )


LONG_RUNNING = (DB, REDIS, API, WORKER, CLOCK, FRONT, PDF)


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
