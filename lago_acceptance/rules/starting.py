"""Rules about what a plain `docker compose up` starts: services that it leaves out, and those that it starts twice."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployer import deployer
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, lago, part, serves
from lago_acceptance.rules.helpers.data_stores import PARTNERS, default_directory, services_of
from lago_acceptance.rules.helpers.hosts import named, url_of

_WITHOUT = {
    DB: "Lago has no database: nothing works",
    REDIS: "no job is enqueued: logins and most calls answer 500",
    MIGRATE: "the schema stays empty or old: calls answer 500, and jobs die",
    API: "there is no API: nothing can be read, written or billed",
    WORKER: "jobs pile up in Redis: no invoices, no webhooks",
    CLOCK: "nothing recurring is billed, and future subscriptions never start",
    FRONT: "nobody can open the UI or log in",
    PDF: "invoices get no PDF",
}


@rule(phase=2, declared_only=True)
def service_not_started(model: Model, settings: Settings) -> Iterator[Violation]:
    """A plain `docker compose up` starts every service that Lago needs.

    It leaves out services whose profiles are not active (COMPOSE_PROFILES in .env, or --profile), and those with
    scale: 0 or deploy.replicas: 0. Files that are made to be started with a profile get a warning only.
    """
    idle = [service for service in services_of(model, *OURS) if not model.starts(service)]
    if not idle or not lago(model):
        return
    behind_profiles = [service for service in model.of_role(*LAGO_RUBY, FRONT) if service.profiles]
    if all(not model.starts(service) and service in behind_profiles for service in lago(model)):
        yield Violation(
            severity=Severity.WARNING,
            at=("services",),
            problem="every service of Lago has a profile, so a plain `up` starts none of them",
            impact="a deploy without --profile leaves Lago out, and reports no error",
            fix=f"set COMPOSE_PROFILES={behind_profiles[0].profiles[0]} in .env",
        )
        return
    for service in idle:
        if _another_starts(model, service) or not _is_used(model, service):
            continue
        if service.replicas == 0:
            number = _number(model, service)
            yield Violation(
                service=service,
                at=part(service, *number),
                problem=f"{'.'.join(number)} is 0, so it is never started",
                impact=_WITHOUT[service.role or ""],
                fix=f"remove {'.'.join(number)}: 0",
            )
            continue
        needs = [
            each.name
            for each in model.services
            if service.name in each.depends_on and service.name not in each.optional and model.starts(each)
        ]
        several = len(service.profiles) > 1
        yield Violation(
            service=service,
            at=part(service, "profiles"),
            severity=None if needs or not (several or _may_be_meant(model, service)) else Severity.WARNING,
            problem=f"it has the {'profiles' if several else 'profile'} {', '.join(service.profiles)}, so a plain `up` "
            "doesn't start it",
            impact=f"Compose refuses to start {', '.join(needs)}, which depends on it"
            if needs
            else _WITHOUT[service.role or ""],
            fix=f"remove `profiles`, or set COMPOSE_PROFILES={service.profiles[0]} in .env",
        )


def _number(model: Model, service: Service) -> tuple[str, ...]:
    """The key that says how many containers of a service are started."""
    written = model.source.document.get("services", {}).get(service.name, {}) if model.source else {}
    return ("scale",) if "scale" in written else ("deploy", "replicas")


def _another_starts(model: Model, service: Service) -> bool:
    return any(model.starts(each) for each in model.of_role(service.role or "") if each.name != service.name)


def _is_used(model: Model, service: Service) -> bool:
    """Whether Lago finds a store or the PDF service by this name; other services are always used."""
    if service.role not in (DB, REDIS, PDF):
        return True
    names = [name for name, roles in PARTNERS if service.role in roles]
    urls = [url for each in lago(model) for name in names if (url := url_of(each, name))]
    return any(not unknown(url.host) and service in named(model, url.host) for url in urls)


def _may_be_meant(model: Model, service: Service) -> bool:
    """Whether a service may be behind a profile on purpose: a migration that is run by hand, or what nothing insists on."""
    return (
        service.role == MIGRATE
        or any(profile == "all" or profile.startswith("all-") for profile in service.profiles)
        or any(service.name in each.optional for each in model.services)
    )


@rule(phase=2, declared_only=True)
def single_service_scaled(model: Model, settings: Settings) -> Iterator[Violation]:
    """Database, Redis, clock and migration run once.

    With scale or deploy.replicas above 1, two of them do the same work on the same data.
    """
    for service in services_of(model, DB, REDIS, CLOCK, MIGRATE):
        if service.replicas < 2:
            continue
        keeps = any(mount.kind in ("volume", "bind") for mount in service.mounts)
        impact = {
            CLOCK: "each of them enqueues every scheduled job: customers can be billed and reminded twice",
            MIGRATE: "they migrate at the same time, and all but one fail (ConcurrentMigrationError)",
        }.get(
            service.role or "",
            "they write to the same files and destroy the data"
            if keeps
            else "connections are spread over separate stores: data is missing at random",
        )
        yield Violation(
            service=service,
            at=part(service, *_number(model, service)),
            problem=f"{service.replicas} containers of it run",
            impact=impact,
            fix="set it to 1",
        )


@rule(phase=2, declared_only=True, follows=("single-service-scaled",))
def scaled_on_fixed_port(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service with several containers doesn't publish a single port of the host."""
    for service in model.services:
        fixed = [port for port in service.ports if port.published.isdigit() and port.published != "0"]
        if service.replicas < 2 or not fixed or not deployer(model).names:
            continue
        yield Violation(
            service=service,
            at=part(service, *_number(model, service)),
            problem=f"{service.replicas} containers of it would all publish port {fixed[0].published} of the host",
            impact="only one gets it; for the others `up` fails: port is already allocated",
            fix="remove `ports` and let the reverse proxy find the containers, or run one",
        )


@rule(phase=2)
def data_directory_shared(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each database and each Redis has a data directory of its own."""
    names = {volume.key: volume.name for volume in model.volumes}
    first: dict[tuple[str, str], Service] = {}
    for service in model.of_role(DB, REDIS):
        if not model.starts(service) or not serves(service):
            continue
        path = (
            service.value("PGDATA") or default_directory(service)
            if service.role == DB
            else "/bitnami/redis/data"
            if "bitnami" in service.image
            else "/data"
        )
        mount = service.mount_at(path)
        if mount is None or mount.kind not in ("volume", "bind") or not mount.source or unknown(path):
            continue
        place = (names.get(mount.source, mount.source), path.removeprefix(mount.target.rstrip("/")))
        other = first.setdefault(place, service)
        if other.name == service.name:
            continue
        yield Violation(
            service=service,
            at=part(service, "volumes"),
            problem=f"its data directory is that of {other.name} (both mount {mount.source})",
            impact="two servers write to the same files and destroy the data",
            fix="give each a volume of its own, or remove one of them",
        )


@rule(phase=2)
def clock_runs_twice(model: Model, settings: Settings) -> Iterator[Violation]:
    """One service runs Lago's clock.

    Each clock enqueues every scheduled job.
    """
    first: dict[str, Service] = {}
    for service in model.of_role(CLOCK):
        if not model.starts(service):
            continue
        other = first.setdefault(service.value("REDIS_URL"), service)
        if other.name == service.name:
            continue
        yield Violation(
            service=service,
            at=part(service),
            problem=f"it runs Lago's clock, as {other.name} does",
            impact="every scheduled job is enqueued twice: customers can be billed and reminded twice",
            fix=f"remove {service.name} or {other.name}",
        )
