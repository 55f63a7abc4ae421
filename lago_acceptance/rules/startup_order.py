"""Rules about restarts, migrations and the order in which services start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.key_loading import outcome_of
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import LONG_RUNNING, data_services, lago, part, uses
from lago_acceptance.shell.exit_codes import codes

COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"


@rule(phase=2, severity=Severity.WARNING)
def restart_policy_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every service that stays is started again after a crash and after a reboot."""
    for service in model.of_role(*LONG_RUNNING):
        if service.restart in ("", "no", "none"):
            yield Violation(
                service=service,
                at=part(service, "restart") if service.restart else part(service),
                problem="it has no restart policy",
                impact="after a crash or a reboot of the host it stays down",
                fix="restart: unless-stopped",
            )


@rule(phase=2)
def migrate_restarts(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration runs once: it is not started again after it ended."""
    for service in model.of_role(MIGRATE):
        if service.restart in ("always", "unless-stopped"):
            yield Violation(
                service=service,
                at=part(service, "restart"),
                problem=f"the migration has restart: {service.restart}",
                impact="it runs again and again: what waits for its end is held up, and its exit "
                "code says nothing",
                fix='restart: "no" (or on-failure)',
            )


def waits_for(
    model: Model, service: Service, condition: str, roles: tuple[str, ...], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether a service starts after one of these roles is in a condition, itself or by what it waits for."""
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
    """API, worker and clock start after the migration is through, or after the API that migrates itself.

    On an empty or old schema /health answers 200 and every call answers 500.
    """
    migrations = model.of_role(MIGRATE)
    migrating = [service for service in model.of_role(API) if _migrates(service, model)]
    if not migrations and not migrating and uses(model):
        if any("migrat" in service.full_command for service in model.services):
            return
        yield Violation(
            service=model.of_role(API)[0],
            at=part(model.of_role(API)[0], "command"),
            severity=Severity.ERROR,
            problem="nothing migrates the database: start.api.sh doesn't, and there is no migrate service",
            impact="an empty schema: /health answers 200, every call answers 500",
            fix="add a migrate service, as in docker-compose.lago.yml",
        )
        return
    for service in model.of_role(API, WORKER, CLOCK):
        if migrations and not waits_for(model, service, COMPLETED, (MIGRATE,)) and service not in migrating:
            yield Violation(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                problem=f"it doesn't wait until {migrations[0].name} has succeeded",
                impact="it starts on an old or empty schema: 500, or jobs that die",
                fix=f"depends_on: {{{migrations[0].name}: {{condition: service_completed_successfully}}}}",
            )
        elif (
            migrating
            and not migrations
            and service.role != API
            and not any(waits_for(model, service, wanted, (API,)) for wanted in (HEALTHY, "service_started"))
        ):
            yield Violation(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                problem=f"it doesn't wait for {migrating[0].name}, which migrates the database",
                impact="it starts on an old or empty schema: jobs that die",
                fix=f"depends_on: {{{migrating[0].name}: {{condition: service_healthy}}}}",
            )


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def deps_started_not_healthy(model: Model, settings: Settings) -> Iterator[Violation]:
    """What needs the database or Redis waits until they are healthy, not only started.

    A migration against a PostgreSQL that still starts fails, and nobody repeats it: the API comes up on an
    empty schema.
    """
    for service in lago(model):
        for other in data_services(model):
            condition = service.depends_on.get(other.name)
            healthy = waits_for(model, service, HEALTHY, (other.role,))
            if condition == "service_started" and not healthy:
                problem = f"it waits only until {other.name} is started, not until it is healthy"
            elif (
                condition is None
                and other.role == DB
                and _migrates(service, model)
                and not healthy
                and not model.observed
            ):
                problem = f"it migrates the database and doesn't wait for {other.name}"
            else:
                continue
            yield Violation(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                problem=problem,
                impact="migrations fail while PostgreSQL still starts, and the API comes up on an "
                "empty schema",
                fix=f"depends_on: {{{other.name}: {{condition: service_healthy}}}}",
            )


@rule(phase=2, declared_only=True)
def deps_inverted_api_on_worker(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API waits for neither worker, clock nor front: they wait for it, or for the migration."""
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
                    impact="when that one doesn't come up, the API doesn't either: one broken worker "
                    "takes everything down",
                    fix="let it wait for the database, Redis and the migration",
                )


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def one_shot_without_adopter(model: Model, settings: Settings) -> Iterator[Violation]:
    """Somebody waits for the migration: else `up --wait` calls its exit a failure, and nobody learns of a real one."""
    for service in model.of_role(MIGRATE):
        if (
            not any(COMPLETED == other.depends_on.get(service.name) for other in model.services)
            and not service.profiles
        ):
            yield Violation(
                service=service,
                at=part(service),
                problem="nobody depends on it with service_completed_successfully",
                impact="`docker compose up --wait` exits 1 when it ends, and a failed migration "
                "stops nothing",
                fix="let the API wait for it with service_completed_successfully",
            )


_MIGRATION = re.compile(r"db:(migrate|prepare|abort_if_pending)")


def _hides_failure(service: Service, script_fails: bool) -> bool:
    """Whether a migration's command can exit 0 although the migration failed."""

    def fails(program: str, words: list[str]) -> bool:
        script = program.endswith("migrate.sh") and script_fails
        return script or any(_MIGRATION.search(word) for word in words)

    text = shlex.join((*service.entrypoint, *service.command))
    return bool(re.search(r"db:(migrate|prepare)|migrate\.sh", text)) and 0 in codes(text, fails)


@rule(phase=2, severity=Severity.WARNING)
def migrate_exit_0_always(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration's exit code tells the truth.

    Before v1.23.0 ./scripts/migrate.sh has no `set -e`: it exits 0 although every migration failed, and with
    LAGO_CREATE_ORG its exit code is the seeding's.
    """
    for service in model.of_role(MIGRATE):
        version = version_of(service, settings)
        old = version is not None and version < (1, 23)
        if not _hides_failure(service, script_fails=not old):
            continue
        script = old and re.search(r"scripts/(start\.)?migrate\.sh", service.full_command)
        seeded = script and service.value("LAGO_CREATE_ORG") == "true"
        yield Violation(
            service=service,
            at=part(service, "command" if service.command else "entrypoint"),
            problem="its exit code is "
            + (
                "that of the seeding alone"
                if seeded
                else "0, whatever fails"
                if script
                else "not that of the migration: it can be 0 although that failed"
            ),
            impact="Exited (0) proves nothing: the API starts on a half-migrated or empty schema",
            fix="run `bundle exec rails db:create db:migrate signup:seed_organization` in one process, or begin "
            "with `set -e`",
        )
