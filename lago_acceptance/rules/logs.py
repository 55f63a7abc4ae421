"""Rules about logs: that there are some, where Docker can show them, and that they end."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.startup import environment_of, outcome_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, at_deploy, part, variable
from lago_acceptance.rules.helpers.data_stores import services_of

STDOUT = "RAILS_LOG_TO_STDOUT"


@rule(
    phase=2,
    severity=Severity.WARNING,
    follows=(
        "rails-env-missing",
        "env-file-not-in-repo",
        "api-env-incomplete",
        "worker-env-incomplete",
        "clock-env-incomplete",
    ),
)
def rails_logs_in_container(model: Model, settings: Settings) -> Iterator[Violation]:
    """RAILS_LOG_TO_STDOUT is exactly "true" in API, worker and clock.

    With any other value, also "1" or "yes", Rails writes to /app/log/production.log inside the container.
    """
    for service in model.of_role(API, WORKER, CLOCK):
        # Without these, the environment comes from somewhere else.
        if service.value("RAILS_ENV") != "production" or not service.value("SECRET_KEY_BASE"):
            continue
        outcome = outcome_of(service, model)
        value = outcome.variables.get(STDOUT)
        text = value.literal if value else ""
        if text is None or text == "true" or unknown(text) or outcome.unseen:
            continue
        if STDOUT in service.environment and not text and at_deploy(model, service, STDOUT):
            continue
        if value == environment_of(service).get(STDOUT) or value is None:
            yield Violation(
                service=service,
                at=variable(service, STDOUT),
                problem=f"{STDOUT} is {f'`{text}`, not `true`' if text else 'not set'}",
                impact="Rails' log grows inside the container without a limit and is lost with it; `docker logs` "
                "doesn't show why a call failed",
                fix=f'set {STDOUT}: "true"',
            )


@rule(phase=2, severity=Severity.WARNING)
def logs_discarded(model: Model, settings: Settings) -> Iterator[Violation]:
    """No container has the log driver `none`."""
    for service in services_of(model, *OURS):
        if _driver(service) == "none":
            yield Violation(
                service=service,
                at=part(service, "logging"),
                problem="its log driver is none",
                impact="everything that it logs is thrown away: nobody can find out why something failed",
                fix="logging: {driver: local}",
            )


@rule(phase=2, severity=Severity.WARNING)
def logs_without_limit(model: Model, settings: Settings) -> Iterator[Violation]:
    """Logs have a maximum size: Docker's default driver, json-file, has none.

    A limit in the daemon's own configuration does as well; a compose file doesn't show it. Where a file limits some
    logs, those of PostgreSQL, Redis and the PDF service may be left to the daemon: they write little.
    """
    running = services_of(model, API, WORKER, CLOCK, FRONT, DB, REDIS, PDF)
    endless = [service for service in running if _is_endless(service)]
    if len(endless) < len(running):
        written = not model.observed
        endless = [
            each for each in endless if (written and each.logging) or each.role in (API, WORKER, CLOCK, FRONT)
        ]
    if endless:
        names = ", ".join(service.name for service in endless)
        yield Violation(
            at=part(endless[0], "logging") if endless[0].logging else part(endless[0]),
            problem=f"the logs of {names} have no maximum size"
            + ("" if model.observed else ", unless the Docker daemon sets one"),
            impact="they grow until the disk is full: then PostgreSQL stops, and Lago with it",
            fix='logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}'
            + (", for each of them" if len(endless) > 1 else ""),
        )


def _driver(service: Service) -> str:
    """The log driver, in Compose's spelling or that of Docker's inspection; "" where it isn't set."""
    return str(service.logging.get("driver") or service.logging.get("Type") or "")


def _is_endless(service: Service) -> bool:
    options = service.logging.get("options") or service.logging.get("Config") or {}
    size = str(options.get("max-size") or "")
    return _driver(service) in ("", "json-file") and size in ("", "-1", "0")
