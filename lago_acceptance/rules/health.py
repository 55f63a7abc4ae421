"""Rules about healthchecks, restarts and the order in which services start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.check_reading import codes, programs
from lago_acceptance.findings import Severity
from lago_acceptance.lago_reading import outcome_of, version_of
from lago_acceptance.model import Model, Service
from lago_acceptance.roles import API, CLOCK, DB, FRONT, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.rules import Hit, rule
from lago_acceptance.rules.looking import data_services, lago, part, uses
from lago_acceptance.settings import Settings

LONG_RUNNING = (DB, REDIS, API, WORKER, CLOCK, FRONT, PDF)
COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"
# Debian slim with Ruby: curl, bash, git; neither procps nor clients of databases
# (docs/lago-facts.md, sections 0 and 8).
RUBY_IMAGE_LACKS = {
    "wget",
    "nc",
    "ncat",
    "ps",
    "pgrep",
    "pkill",
    "netstat",
    "ss",
    "psql",
    "pg_isready",
    "redis-cli",
    "python",
    "python3",
    "node",
    "http",
    "lsof",
    "telnet",
    "jq",
    "dig",
    "nslookup",
    "ping",
    "systemctl",
    "supervisorctl",
}
LACKS = {
    "db-alpine": {"curl", "redis-cli", "python", "python3", "node"},
    "db": {"curl", "wget", "nc", "redis-cli", "python3", "node"},
    "redis-alpine": {"curl", "psql", "pg_isready", "python3", "node", "bash"},
    "redis": {"curl", "wget", "nc", "psql", "pg_isready", "python3", "node"},
    FRONT: {"psql", "redis-cli", "pg_isready", "python3", "node"},
    PDF: {"wget", "psql", "redis-cli", "nc"},
}
START_SCRIPTS = {
    "start.sh",
    "start.api.sh",
    "start.worker.sh",
    "start.events.worker.sh",
    "start.pdfs.worker.sh",
    "start.clock.sh",
    "migrate.sh",
    "generate.rsa.sh",
}


@rule("missing-healthcheck", phase=2, severity=Severity.WARNING)
def missing_healthcheck(model: Model, settings: Settings) -> Iterator[Hit]:
    """Every service that stays has a healthcheck: without one, `up --wait` calls a restart loop healthy."""
    for service in model.of_role(*LONG_RUNNING):
        if (service.healthcheck is None or service.healthcheck.disabled) and not service.built:
            yield Hit(
                service=service,
                at=part(service, "healthcheck") if service.healthcheck else part(service),
                wrong="its healthcheck is switched off" if service.healthcheck else "it has no healthcheck",
                leads_to="a crash loop looks healthy, and nothing waits for it",
                mend="add one that can fail, as in docker-compose.lago.yml",
            )


def _text(service: Service) -> str:
    """The healthcheck as a text for a shell."""
    test = service.healthcheck.test if service.healthcheck else ()
    return shlex.join(test[1:]) if test[:1] == ("CMD",) else service.healthcheck.command if test else ""


def _image_kind(service: Service) -> str | None:
    if service.built:
        return None
    if service.role in (DB, REDIS):
        official = re.search(r"(^|/)(postgres|redis|lago-acceptance/\w+)[:@]", service.image)
        if not official:
            return None
        return f"{service.role}-alpine" if "alpine" in service.image else service.role
    return service.role


@rule("healthcheck-missing-binary", phase=2)
def missing_binary(model: Model, settings: Settings) -> Iterator[Hit]:
    """A healthcheck calls a program that its image has.

    getlago/api has curl and bash; no wget, ps, pgrep, psql or redis-cli. PostgreSQL's and Redis' images have
    no curl.
    """
    for service in model.of_role(*LONG_RUNNING, MIGRATE):
        kind = _image_kind(service)
        lacks = RUBY_IMAGE_LACKS if kind in (API, WORKER, CLOCK, MIGRATE) else LACKS.get(kind or "", set())
        if service.healthcheck is None or service.healthcheck.disabled:
            continue
        if model.observed and kind in (FRONT, DB, REDIS, PDF):
            continue
        text = _text(service)
        missing = sorted(programs(text) & lacks)
        if missing and 0 not in codes(text, lambda program, words, lacks=lacks: program in lacks):
            yield Hit(
                service=service,
                at=part(service, "healthcheck", "test"),
                wrong=f"its healthcheck calls {missing[0]}, which its image lacks",
                leads_to="it is unhealthy for ever, and what depends on it never starts",
                mend="use what the image has: curl in Lago's, pg_isready and redis-cli in theirs",
            )


def _takes_any_answer(text: str) -> bool:
    """Whether the check is a curl without -f whose output nobody looks at."""
    return (
        programs(text) & {"curl", "grep", "test", "[", "[[", "jq"} == {"curl"}
        and not re.search(r"\s(-[a-zA-Z]*f[a-zA-Z]*\b|--fail)", text)
        and not re.search(r"curl[^|]*\|(?!\|)", text)
    )


@rule("healthcheck-cannot-fail", phase=2)
def cannot_fail(model: Model, settings: Settings) -> Iterator[Hit]:
    """A healthcheck can fail: it doesn't end in `|| true` or `exit 0`, and doesn't find itself in the process list."""
    for service in model.of_role(*LONG_RUNNING):
        if service.healthcheck is None or service.healthcheck.disabled:
            continue
        text = _text(service)
        always = codes(text, lambda program, words: False) == {0}
        itself = (
            re.match(r"\W*ps\b.*grep (?!-v)(-\S+ )*(?!.*\[)", text, re.DOTALL) and "grep -v grep" not in text
        )
        if always or itself:
            yield Hit(
                service=service,
                at=part(service, "healthcheck", "test"),
                wrong="its healthcheck cannot fail"
                + (": ps finds grep itself" if itself and not always else ""),
                leads_to="a dead service is called healthy",
                mend="let the command's own exit code decide, as in docker-compose.lago.yml",
            )
        elif _takes_any_answer(text):
            yield Hit(
                service=service,
                at=part(service, "healthcheck", "test"),
                severity=Severity.WARNING,
                wrong="its curl has no -f: it takes an answer of 500 for success",
                leads_to="an API without its database is called healthy",
                mend="curl -fsS",
            )


@rule("restart-policy-missing", phase=2, severity=Severity.WARNING)
def restart_policy(model: Model, settings: Settings) -> Iterator[Hit]:
    """Every service that stays is started again after a crash and after a reboot."""
    for service in model.of_role(*LONG_RUNNING):
        if service.restart in ("", "no", "none"):
            yield Hit(
                service=service,
                at=part(service, "restart") if service.restart else part(service),
                wrong="it has no restart policy",
                leads_to="after a crash or a reboot of the host it stays down",
                mend="restart: unless-stopped",
            )


@rule("migrate-restarts", phase=2)
def migrate_restarts(model: Model, settings: Settings) -> Iterator[Hit]:
    """The migration runs once: it is not started again after it ended."""
    for service in model.of_role(MIGRATE):
        if service.restart in ("always", "unless-stopped"):
            yield Hit(
                service=service,
                at=part(service, "restart"),
                wrong=f"the migration has restart: {service.restart}",
                leads_to="it runs again and again: what waits for its end is held up, and its exit "
                "code says nothing",
                mend='restart: "no" (or on-failure)',
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


@rule("no-migration-ordering", phase=2, severity=Severity.WARNING, declared_only=True)
def migration_ordering(model: Model, settings: Settings) -> Iterator[Hit]:
    """API, worker and clock start after the migration is through, or after the API that migrates itself.

    On an empty or old schema /health answers 200 and every call answers 500.
    """
    migrations = model.of_role(MIGRATE)
    migrating = [service for service in model.of_role(API) if _migrates(service, model)]
    if not migrations and not migrating and uses(model):
        if any("migrat" in service.full_command for service in model.services):
            return
        yield Hit(
            service=model.of_role(API)[0],
            at=part(model.of_role(API)[0], "command"),
            severity=Severity.ERROR,
            wrong="nothing migrates the database: start.api.sh doesn't, and there is no migrate service",
            leads_to="an empty schema: /health answers 200, every call answers 500",
            mend="add a migrate service, as in docker-compose.lago.yml",
        )
        return
    for service in model.of_role(API, WORKER, CLOCK):
        if migrations and not waits_for(model, service, COMPLETED, (MIGRATE,)) and service not in migrating:
            yield Hit(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                wrong=f"it doesn't wait until {migrations[0].name} has succeeded",
                leads_to="it starts on an old or empty schema: 500, or jobs that die",
                mend=f"depends_on: {{{migrations[0].name}: {{condition: service_completed_successfully}}}}",
            )
        elif (
            migrating
            and not migrations
            and service.role != API
            and not any(waits_for(model, service, wanted, (API,)) for wanted in (HEALTHY, "service_started"))
        ):
            yield Hit(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                wrong=f"it doesn't wait for {migrating[0].name}, which migrates the database",
                leads_to="it starts on an old or empty schema: jobs that die",
                mend=f"depends_on: {{{migrating[0].name}: {{condition: service_healthy}}}}",
            )


@rule("deps-started-not-healthy", phase=2, severity=Severity.WARNING, declared_only=True)
def started_not_healthy(model: Model, settings: Settings) -> Iterator[Hit]:
    """What needs the database or Redis waits until they are healthy, not only started.

    A migration against a PostgreSQL that still starts fails, and nobody repeats it: the API comes up on an
    empty schema.
    """
    for service in lago(model):
        for other in data_services(model):
            condition = service.depends_on.get(other.name)
            healthy = waits_for(model, service, HEALTHY, (other.role,))
            if condition == "service_started" and not healthy:
                wrong = f"it waits only until {other.name} is started, not until it is healthy"
            elif (
                condition is None
                and other.role == DB
                and _migrates(service, model)
                and not healthy
                and not model.observed
            ):
                wrong = f"it migrates the database and doesn't wait for {other.name}"
            else:
                continue
            yield Hit(
                service=service,
                at=part(service, "depends_on") if service.depends_on else part(service),
                wrong=wrong,
                leads_to="migrations fail while PostgreSQL still starts, and the API comes up on an "
                "empty schema",
                mend=f"depends_on: {{{other.name}: {{condition: service_healthy}}}}",
            )


@rule("deps-inverted-api-on-worker", phase=2, declared_only=True)
def inverted(model: Model, settings: Settings) -> Iterator[Hit]:
    """The API waits for neither worker, clock nor front: they wait for it, or for the migration."""
    by_name = {service.name: service for service in model.services}
    for service in model.of_role(API, MIGRATE):
        for name in service.depends_on:
            other = by_name.get(name)
            inverted = (WORKER, CLOCK, FRONT, API) if service.role == MIGRATE else (WORKER, CLOCK, FRONT)
            if other is not None and other.role in inverted:
                yield Hit(
                    service=service,
                    at=part(service, "depends_on"),
                    wrong=f"it waits for {name}",
                    leads_to="when that one doesn't come up, the API doesn't either: one broken worker "
                    "takes everything down",
                    mend="let it wait for the database, Redis and the migration",
                )


@rule("one-shot-without-adopter", phase=2, severity=Severity.WARNING, declared_only=True)
def one_shot(model: Model, settings: Settings) -> Iterator[Hit]:
    """Somebody waits for the migration: else `up --wait` calls its exit a failure, and nobody learns of a real one."""
    for service in model.of_role(MIGRATE):
        if (
            not any(COMPLETED == other.depends_on.get(service.name) for other in model.services)
            and not service.profiles
        ):
            yield Hit(
                service=service,
                at=part(service),
                wrong="nobody depends on it with service_completed_successfully",
                leads_to="`docker compose up --wait` exits 1 when it ends, and a failed migration "
                "stops nothing",
                mend="let the API wait for it with service_completed_successfully",
            )


_MIGRATION = re.compile(r"db:(migrate|prepare|abort_if_pending)")


def _hides_failure(service: Service, script_fails: bool) -> bool:
    """Whether a migration's command can exit 0 although the migration failed."""

    def fails(program: str, words: list[str]) -> bool:
        script = program.endswith("migrate.sh") and script_fails
        return script or any(_MIGRATION.search(word) for word in words)

    text = shlex.join((*service.entrypoint, *service.command))
    return bool(re.search(r"db:(migrate|prepare)|migrate\.sh", text)) and 0 in codes(text, fails)


@rule("migrate-exit-0-always", phase=2, severity=Severity.WARNING)
def exit_zero(model: Model, settings: Settings) -> Iterator[Hit]:
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
        yield Hit(
            service=service,
            at=part(service, "command" if service.command else "entrypoint"),
            wrong="its exit code is "
            + (
                "that of the seeding alone"
                if seeded
                else "0, whatever fails"
                if script
                else "not that of the migration: it can be 0 although that failed"
            ),
            leads_to="Exited (0) proves nothing: the API starts on a half-migrated or empty schema",
            mend="run `bundle exec rails db:create db:migrate signup:seed_organization` in one process, or begin "
            "with `set -e`",
        )


@rule("wrong-script-path", phase=2)
def wrong_script(model: Model, settings: Settings) -> Iterator[Hit]:
    """The command is a script that this version's image has (./scripts/start.api.sh, ./scripts/migrate.sh, ...)."""
    for service in lago(model):
        version = version_of(service, settings)
        if service.built or service.working_dir or version is None or version < (1, 10) or version >= (1, 30):
            continue
        for program in outcome_of(service, model).programs:
            path = program[0] if program else ""
            if not (path.endswith(".sh") or "scripts/" in path) or service.mount_at(
                path if path.startswith("/") else f"/app/{path.removeprefix('./')}"
            ):
                continue
            inside = path.removeprefix("/app/").removeprefix("./")
            known = START_SCRIPTS | ({"start.migrate.sh"} if version < (1, 14) else set())
            folder, _, name = inside.rpartition("/")
            if (
                folder != "scripts"
                or (name not in known and version < (1, 20))
                or (name == "start.migrate.sh" and version >= (1, 14))
            ):
                yield Hit(
                    service=service,
                    at=part(service, "command" if service.command else "entrypoint"),
                    wrong=f"its image has no {path}",
                    leads_to="the container is never started: no such file or directory, exit 127",
                    mend="./scripts/migrate.sh"
                    if "migrate" in name
                    else "use a script that the image has: ./scripts/start.{api,worker,clock}.sh",
                )


@rule("command-needs-shell", phase=2)
def needs_a_shell(model: Model, settings: Settings) -> Iterator[Hit]:
    """A command with shell syntax is given to a shell.

    Compose splits a command into words and starts the first one. `export`, `&&` and `|` mean nothing then.
    """
    from lago_acceptance.shell_reading import needs_shell

    for service in lago(model):
        if needs_shell((*service.entrypoint, *service.command)):
            yield Hit(
                service=service,
                at=part(service, "command" if service.command else "entrypoint"),
                wrong="its command is written for a shell, but none is started",
                leads_to="the container doesn't start: executable file not found, or the operators are "
                "passed on as words",
                mend='command: ["bash", "-ec", "..."], with $$ for each $',
            )


@rule("front-command-ignored-by-entrypoint", phase=2, declared_only=True)
def front_command(model: Model, settings: Settings) -> Iterator[Hit]:
    """The front has no command: its image's entrypoint ignores it."""
    for service in model.of_role(FRONT):
        if service.command and not service.entrypoint and not service.built:
            yield Hit(
                service=service,
                at=part(service, "command"),
                wrong="the front's entrypoint ignores `command:`",
                leads_to="what it was meant to do is not done, and nothing says so",
                mend="take it out; what the front needs is given by API_URL",
            )


@rule("front-env-config-hardcoded", phase=2, severity=Severity.WARNING)
def front_env_config(model: Model, settings: Settings) -> Iterator[Hit]:
    """The front's env-config.js is written by its image from API_URL, not by hand."""
    for service in model.of_role(FRONT):
        mounted = any("env-config.js" in mount.target for mount in service.mounts)
        if mounted or "env-config.js" in service.full_command:
            yield Hit(
                service=service,
                at=part(service, "volumes" if mounted else "entrypoint" if service.entrypoint else "command"),
                wrong="env-config.js is written by hand",
                leads_to="it hides API_URL, goes stale with the next version, and is overwritten at "
                "every start",
                mend="set API_URL, and leave env-config.js to the image",
            )
