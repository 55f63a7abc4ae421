"""Rules about healthchecks, restarts and the order in which services start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import LONG_RUNNING, part
from lago_acceptance.shell.exit_codes import codes, programs

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
    """Every service that stays has a healthcheck: without one, `up --wait` calls a restart loop healthy."""
    for service in model.of_role(*LONG_RUNNING):
        if (service.healthcheck is None or service.healthcheck.disabled) and not service.built:
            yield Violation(
                service=service,
                at=part(service, "healthcheck") if service.healthcheck else part(service),
                problem="its healthcheck is switched off" if service.healthcheck else "it has no healthcheck",
                impact="a crash loop looks healthy, and nothing waits for it",
                fix="add one that can fail, as in docker-compose.lago.yml",
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


@rule(phase=2)
def healthcheck_missing_binary(model: Model, settings: Settings) -> Iterator[Violation]:
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
            yield Violation(
                service=service,
                at=part(service, "healthcheck", "test"),
                problem=f"its healthcheck calls {missing[0]}, which its image lacks",
                impact="it is unhealthy for ever, and what depends on it never starts",
                fix="use what the image has: curl in Lago's, pg_isready and redis-cli in theirs",
            )


def _takes_any_answer(text: str) -> bool:
    """Whether the check is a curl without -f whose output nobody looks at."""
    return (
        programs(text) & {"curl", "grep", "test", "[", "[[", "jq"} == {"curl"}
        and not re.search(r"\s(-[a-zA-Z]*f[a-zA-Z]*\b|--fail)", text)
        and not re.search(r"curl[^|]*\|(?!\|)", text)
    )


@rule(phase=2)
def healthcheck_cannot_fail(model: Model, settings: Settings) -> Iterator[Violation]:
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
            yield Violation(
                service=service,
                at=part(service, "healthcheck", "test"),
                problem="its healthcheck cannot fail"
                + (": ps finds grep itself" if itself and not always else ""),
                impact="a dead service is called healthy",
                fix="let the command's own exit code decide, as in docker-compose.lago.yml",
            )
        elif _takes_any_answer(text):
            yield Violation(
                service=service,
                at=part(service, "healthcheck", "test"),
                severity=Severity.WARNING,
                problem="its curl has no -f: it takes an answer of 500 for success",
                impact="an API without its database is called healthy",
                fix="curl -fsS",
            )
