"""Rules about healthchecks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.listening import ports_of
from lago_acceptance.lago.releases import release_of, releases
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import LONG_RUNNING, part
from lago_acceptance.rules.helpers.data_stores import services_of
from lago_acceptance.rules.helpers.health_commands import health_command
from lago_acceptance.shell.exit_codes import codes
from lago_acceptance.shell.programs import programs

# Debian slim with Ruby: curl, bash, git; neither procps nor clients of databases (docs/lago-facts.md, section 8).
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
_POSTGRES_CLIENTS = {"psql", "pg_isready"}
LACKS = {
    "db-alpine": {"curl", "redis-cli", "python", "python3", "node"},
    "db": {"curl", "wget", "nc", "redis-cli", "python3", "node"},
    "redis-alpine": {"curl", "psql", "pg_isready", "python3", "node", "bash"},
    "redis": {"curl", "wget", "nc", "psql", "pg_isready", "python3", "node"},
    FRONT: {"psql", "redis-cli", "pg_isready", "python3", "node"},
    PDF: {"wget", "psql", "redis-cli", "nc"},
}


_INSTEAD = {DB: "pg_isready", REDIS: "redis-cli ping"}


@rule(phase=2, severity=Severity.WARNING, follows=("never-completes", "healthcheck-waited-for-missing"))
def missing_healthcheck(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every long-running service has a healthcheck.

    Without one `docker compose up --wait` considers a container in a restart loop healthy.
    """
    lacking = [
        service
        for service in services_of(model, *LONG_RUNNING)
        if (service.healthcheck is None or service.healthcheck.disabled) and not service.built
    ]
    remedies = {service.name: _remedy(service, model, settings) for service in lacking}
    if len(remedies) == 1:
        fix = f"add one that can fail: {next(iter(remedies.values()))}"
    else:
        fix = "add one that can fail to each: " + "; ".join(
            f"{name}: {use}" for name, use in remedies.items()
        )
    for service in lacking:
        yield Violation(
            service=service,
            at=part(service, "healthcheck") if service.healthcheck else part(service),
            problem="its healthcheck is disabled" if service.healthcheck else "it has no healthcheck",
            impact="a crash loop looks healthy, and nothing can wait for it",
            fix=fix,
        )


def _remedy(service: Service, model: Model, settings: Settings) -> str:
    """A healthcheck for what a service does."""
    ports = ports_of(service, model, settings)
    return health_command(service, min(ports) if ports else None)


@rule(phase=2, declared_only=True, follows=("never-completes",))
def healthcheck_waited_for_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """A service that others wait for by service_healthy has a healthcheck.

    None of the images of Lago, PostgreSQL and Redis brings one along.
    """
    for service in services_of(model, DB, REDIS, API, WORKER, CLOCK, MIGRATE, FRONT):
        waiting = [
            each.name for each in model.services if each.depends_on.get(service.name) == "service_healthy"
        ]
        check = service.healthcheck
        # A healthcheck without a test only changes the times of the image's own.
        lacking = check is None or check.disabled
        if (
            not waiting
            or not lacking
            or not (stock_image(service) or service.role == FRONT or _image_kind(service))
        ):
            continue
        if service.built or not model.starts(service):
            continue
        yield Violation(
            service=service,
            at=part(service, "healthcheck") if check else part(service),
            problem=f"{', '.join(waiting)} {'wait' if len(waiting) > 1 else 'waits'} until it is healthy, but it has no "
            "healthcheck" + (" that runs" if check else ""),
            impact="`up` fails: the container has no healthcheck configured",
            fix="add a healthcheck, or wait with condition: "
            + ("service_completed_successfully" if service.role == MIGRATE else "service_started"),
        )


def _shell_text(service: Service) -> str:
    """The healthcheck as a line of shell."""
    check = service.healthcheck
    if check is None:
        return ""
    return shlex.join(check.test[1:]) if check.test[:1] == ("CMD",) else check.command


def _image_kind(service: Service) -> str | None:
    if service.built:
        return None
    if service.role in (DB, REDIS):
        official = re.search(r"(^|/)(postgres|redis|lago-acceptance/\w+)[:@]", service.image)
        if not official:
            return None
        return f"{service.role}-alpine" if "alpine" in service.image else service.role
    return service.role


@rule(phase=2)
def healthcheck_missing_binary(model: Model, settings: Settings) -> Iterator[Violation]:
    """The programs of a healthcheck are in its image.

    getlago/api has curl and bash; no wget, ps, pgrep or redis-cli, and psql and pg_isready from 1.26.1 on only.
    PostgreSQL's and Redis' images have no curl.
    """
    for service in services_of(model, *LONG_RUNNING, MIGRATE):
        kind = _image_kind(service)
        ruby = RUBY_IMAGE_LACKS - (_POSTGRES_CLIENTS if _has_clients(service, settings) else set())
        lacks = ruby if kind in (API, WORKER, CLOCK, MIGRATE) else LACKS.get(kind or "", set())
        if service.healthcheck is None or service.healthcheck.disabled:
            continue
        if model.observed and kind in (FRONT, DB, REDIS, PDF):
            continue
        text = _shell_text(service)
        missing = sorted(programs(text) & lacks)

        def lacking(program: str, words: list[str], lacks: set[str] = lacks) -> bool:
            return program in lacks

        if missing and 0 not in codes(text, lacking):
            yield Violation(
                service=service,
                at=part(service, "healthcheck", "test"),
                problem=f"its healthcheck calls {missing[0]}, which its image lacks",
                impact="it stays unhealthy, and what depends on it never starts",
                fix=f"use a program of the image: {_INSTEAD.get(service.role or '', 'curl')}",
            )


def _has_clients(service: Service, settings: Settings) -> bool:
    """Whether Lago's image has PostgreSQL's clients: since 1.26.1."""
    release = release_of(service, settings)
    return release is None or release.age >= releases()[1, 26, 1].age


def _takes_any_answer(text: str) -> bool:
    """Whether the check is a curl without -f whose output is ignored."""
    return (
        programs(text) & {"curl", "grep", "test", "[", "[[", "jq"} == {"curl"}
        and not re.search(r"\s(-[a-zA-Z]*f[a-zA-Z]*\b|--fail)", text)
        and not re.search(r"curl[^|]*\|(?!\|)", text)
    )


@rule(phase=2, follows=("healthcheck-never-passes",))
def healthcheck_cannot_fail(model: Model, settings: Settings) -> Iterator[Violation]:
    """A healthcheck can fail.

    It doesn't end in `|| true` or `exit 0`, and `ps | grep` doesn't find the grep itself.
    """
    for service in services_of(model, *LONG_RUNNING):
        if service.healthcheck is None or service.healthcheck.disabled:
            continue
        text = _shell_text(service)
        always = codes(text, lambda program, words: False) == {0}
        itself = (
            re.match(r"\W*ps\b.*grep (?!-v)(-\S+ )*(?!.*\[)", text, re.DOTALL) and "grep -v grep" not in text
        )
        if always or itself:
            yield Violation(
                service=service,
                at=part(service, "healthcheck", "test"),
                problem="its healthcheck cannot fail"
                + (": ps finds grep itself" if itself and not always else ""),
                impact="a dead service is reported as healthy",
                fix="let the exit code of the check decide: remove `|| true` or `exit 0`",
            )
        elif _takes_any_answer(text):
            yield Violation(
                service=service,
                at=part(service, "healthcheck", "test"),
                severity=Severity.WARNING,
                problem="its curl has no -f, so a 500 counts as success",
                impact="a service that answers every request with an error is reported as healthy",
                fix="use curl -fsS",
            )
