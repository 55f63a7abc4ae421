"""Rules about healthchecks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import LONG_RUNNING, part
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
LACKS = {
    "db-alpine": {"curl", "redis-cli", "python", "python3", "node"},
    "db": {"curl", "wget", "nc", "redis-cli", "python3", "node"},
    "redis-alpine": {"curl", "psql", "pg_isready", "python3", "node", "bash"},
    "redis": {"curl", "wget", "nc", "psql", "pg_isready", "python3", "node"},
    FRONT: {"psql", "redis-cli", "pg_isready", "python3", "node"},
    PDF: {"wget", "psql", "redis-cli", "nc"},
}


@rule(phase=2, severity=Severity.WARNING)
def missing_healthcheck(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every long-running service has a healthcheck.

    Without one `docker compose up --wait` considers a container in a restart loop healthy.
    """
    for service in model.of_role(*LONG_RUNNING):
        if (service.healthcheck is None or service.healthcheck.disabled) and not service.built:
            yield Violation(
                service=service,
                at=part(service, "healthcheck") if service.healthcheck else part(service),
                problem="its healthcheck is disabled" if service.healthcheck else "it has no healthcheck",
                impact="a crash loop looks healthy, and nothing can wait for it",
                fix="add one that can fail; docker-compose.lago.yml shows one for each service",
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
                fix="use a program of the image: curl for Lago, pg_isready for PostgreSQL, redis-cli for "
                "Redis",
            )


def _takes_any_answer(text: str) -> bool:
    """Whether the check is a curl without -f whose output is ignored."""
    return (
        programs(text) & {"curl", "grep", "test", "[", "[[", "jq"} == {"curl"}
        and not re.search(r"\s(-[a-zA-Z]*f[a-zA-Z]*\b|--fail)", text)
        and not re.search(r"curl[^|]*\|(?!\|)", text)
    )


@rule(phase=2)
def healthcheck_cannot_fail(model: Model, settings: Settings) -> Iterator[Violation]:
    """A healthcheck can fail.

    It doesn't end in `|| true` or `exit 0`, and `ps | grep` doesn't find the grep itself.
    """
    for service in model.of_role(*LONG_RUNNING):
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
                impact="an API without its database is reported as healthy",
                fix="use curl -fsS",
            )
