"""Rules about restarts, migrations and the order in which services start."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.startup import outcome_of
from lago_acceptance.lago.versions import tag_of
from lago_acceptance.model.deployer import deployer
from lago_acceptance.model.deployment import COMPLETED, HEALTHY, Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import LONG_RUNNING, has_api, lago, part, waits_until
from lago_acceptance.rules.helpers.data_stores import data_services, services_of


@rule(phase=2, severity=Severity.WARNING, follows=("never-completes",))
def restart_policy_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every long-running service restarts after a crash and after a reboot.

    Swarm, CapRover and Coolify restart every service on their own.
    """
    if deployer(model).restarts:
        return
    for service in services_of(model, *LONG_RUNNING):
        if service.restart in ("", "no", "none"):
            yield Violation(
                service=service,
                at=part(service, "restart") if service.restart else part(service),
                problem="it has no restart policy",
                impact="it stays down after a crash or a reboot of the host",
                fix="add restart: unless-stopped",
            )


@rule(phase=2)
def migrate_restarts(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration runs once and isn't restarted when it ends."""
    for service in model.of_role(MIGRATE):
        if service.restart in ("always", "unless-stopped"):
            yield Violation(
                service=service,
                at=part(service, "restart"),
                problem=f"the migration has restart: {service.restart}",
                impact="it runs over and over: services that wait for it are held up, and its exit code "
                "is useless",
                fix='set restart: "no" (or on-failure)',
            )


def waits_for(
    model: Model, service: Service, condition: str, roles: tuple[str, ...], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether a service waits for a condition of one of these roles, directly or through its dependencies."""
    by_name = {each.name: each for each in model.services}
    for name, own in service.depends_on.items():
        other = by_name.get(name)
        if other is None or name in seen:
            continue
        if other.role in roles and own == condition:
            return True
        if waits_for(model, other, condition, roles, seen | {service.name}):
            return True
    return False


def _migrates(service: Service, model: Model) -> bool:
    if service.role == MIGRATE:
        return True
    programs = outcome_of(service, model).programs or [()]
    texts = [" ".join(program) for program in programs]
    return any(
        "scripts/start.sh" in text or "db:migrate" in text or "migrate.sh" in text or "db:prepare" in text
        for text in texts
    ) or (service.role == API and not service.entrypoint and not service.command)


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def no_migration_ordering(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock start after the migration has succeeded.

    If the API runs the migrations itself, the others wait for the API. On an empty or old schema /health
    answers 200 and every call answers 500. Swarm and CapRover ignore depends_on: there only a migration that is missing
    is reported.
    """
    migrations = [service for service in model.of_role(MIGRATE) if model.starts(service)]
    waited = any(
        each.depends_on.get(api.name) == COMPLETED for api in model.of_role(API) for each in model.services
    )
    if not migrations and (model.of_role(MIGRATE) or waited):
        # service-not-started and never-completes report these.
        return
    migrating = [service for service in model.of_role(API) if _migrates(service, model)]
    if not migrations and not migrating and has_api(model):
        if any("migrat" in service.full_command for service in model.services):
            return
        yield Violation(
            service=model.of_role(API)[0],
            at=part(model.of_role(API)[0], "command"),
            severity=Severity.ERROR,
            problem="nothing runs the migrations: start.api.sh doesn't, and there is no migrate service",
            impact="the schema stays empty: /health answers 200, and every call answers 500",
            fix="add a service with the API's image and environment, command: ./scripts/migrate.sh and "
            'restart: "no"',
        )
        return
    if not deployer(model).orders:
        return
    for service in model.of_role(API, WORKER, CLOCK):
        if migrating and _waits_for_api(model, service):
            continue
        if migrations and not waits_for(model, service, COMPLETED, (MIGRATE,)) and service not in migrating:
            yield Violation(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                problem=f"it doesn't wait for {migrations[0].name} to succeed",
                impact="it starts on an old or empty schema: calls answer 500, and jobs die",
                fix=f"add depends_on: "
                f"{{{migrations[0].name}: {{condition: service_completed_successfully}}}}",
            )
        elif migrating and not migrations and service.role != API:
            yield Violation(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                problem=f"it doesn't wait for {migrating[0].name}, which runs the migrations",
                impact="it starts on an old or empty schema: jobs die",
                fix=f"add depends_on: {{{migrating[0].name}: {{condition: service_healthy}}}}",
            )


def _waits_for_api(model: Model, service: Service) -> bool:
    return any(
        waits_for(model, service, wanted, (API,)) for wanted in (HEALTHY, COMPLETED, "service_started")
    )


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def migrates_twice(model: Model, settings: Settings) -> Iterator[Violation]:
    """Either the API or a service of its own runs the migrations, or one of them waits for the other.

    ./scripts/start.sh migrates before it serves. Of two migrations at once one fails (ConcurrentMigrationError), and the
    script serves all the same.
    """
    migrating = [api for api in model.of_role(API) if _migrates(api, model) and model.starts(api)]
    for service in model.of_role(MIGRATE):
        beside = [
            api
            for api in migrating
            if not waits_until(model, api, service) and not waits_until(model, service, api)
        ]
        if not beside or not model.starts(service) or not _MIGRATES.search(service.full_command):
            continue
        api = beside[0]
        one, other = tag_of(service), tag_of(api)
        yield Violation(
            service=service,
            at=part(service),
            severity=Severity.ERROR if one != other and not service.built and not api.built else None,
            problem=f"it migrates beside {api.name}, which migrates itself before it serves"
            + (
                f"; it runs {one or 'latest'}, and {api.name} runs {other or 'latest'}"
                if one != other
                else ""
            ),
            impact="both migrate at the same time: one of them fails (ConcurrentMigrationError), and the API may serve on a "
            "half-made schema",
            fix=f"remove {service.name}: {api.name} needs no migration of its own",
        )


_MIGRATES = re.compile(r"scripts/(start\.)?migrate\.sh|db:(migrate|prepare)\b")


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def deps_started_not_healthy(model: Model, settings: Settings) -> Iterator[Violation]:
    """Services wait until the database and Redis are healthy, not just started.

    A migration that runs while PostgreSQL is still starting fails and isn't repeated: the API comes up on an
    empty schema. Swarm and CapRover ignore depends_on.
    """
    if not deployer(model).orders:
        return
    for service in lago(model):
        for other in data_services(model):
            if not model.starts(other):
                continue
            condition = service.depends_on.get(other.name)
            healthy = waits_for(model, service, HEALTHY, (other.role or "",))
            if condition == "service_started" and not healthy:
                problem = f"it waits until {other.name} is started, not until it is healthy"
            elif (
                condition is None
                and other.role == DB
                and _migrates(service, model)
                and not healthy
                and not model.observed
            ):
                problem = f"it runs the migrations, but doesn't wait for {other.name}"
            else:
                continue
            yield Violation(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                problem=problem,
                impact="its first jobs and calls fail while Redis is starting"
                if other.role == REDIS
                else "migrations fail while PostgreSQL is starting, and the API comes up on an empty schema"
                if _migrates(service, model)
                else "it starts before PostgreSQL takes connections, and its first calls or jobs fail",
                fix=f"add depends_on: {{{other.name}: {{condition: service_healthy}}}}",
            )


@rule(phase=2, declared_only=True)
def deps_inverted_api_on_worker(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API and the migration don't wait for the worker, the clock or the front."""
    if not deployer(model).orders:
        return
    by_name = {service.name: service for service in model.services}
    for service in model.of_role(API, MIGRATE):
        for name in service.depends_on:
            other = by_name.get(name)
            inverted = (WORKER, CLOCK, FRONT, API) if service.role == MIGRATE else (WORKER, CLOCK, FRONT)
            if other is not None and other.role in inverted:
                yield Violation(
                    service=service,
                    at=part(service, "depends_on"),
                    problem=f"it waits for {name}",
                    impact="if that one doesn't come up, neither does the API: one broken worker takes "
                    "everything down",
                    fix="remove it from depends_on; wait for the database, Redis and the migration only",
                )


@rule(phase=2, severity=Severity.WARNING, declared_only=True, follows=("migrates-twice",))
def one_shot_without_adopter(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service waits for the migration (service_completed_successfully).

    Without one, `docker compose up --wait` reports the end of the migration as a failure, and a migration
    that really failed stops nothing. Swarm and CapRover ignore depends_on.
    """
    if not deployer(model).orders:
        return
    for service in model.of_role(MIGRATE):
        if not any(
            COMPLETED == other.depends_on.get(service.name) for other in model.services
        ) and model.starts(service):
            yield Violation(
                service=service,
                at=part(service),
                problem="no service depends on it with service_completed_successfully",
                impact="`docker compose up --wait` exits 1 when it ends, and a failed migration stops "
                "nothing",
                fix="add it to the API's depends_on, with condition: service_completed_successfully",
            )
