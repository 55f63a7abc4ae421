"""Rules about values that Lago reads in another way than they look."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.switches import CAST, FALSE, meant_as_on, reads_as_on
from lago_acceptance.lago.variables import is_no_license
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import at_deploy, lago, variable

_LOG_LEVELS = ("debug", "info", "warn", "error", "fatal", "unknown")
_SERIOUS = frozenset(("LAGO_CREATE_ORG", "LAGO_DISABLE_SIGNUP", "LAGO_USE_AWS_S3", "LAGO_USE_GCS"))
_EFFECT = {
    "LAGO_CREATE_ORG": "no organization is seeded: nobody can log in to a new deployment",
    "LAGO_DISABLE_SIGNUP": "sign-up stays open: anyone can register",
    "LAGO_USE_AWS_S3": "Lago keeps its files in the container's /app/storage, not in the bucket",
    "LAGO_USE_GCS": "Lago keeps its files in the container's /app/storage, not in the bucket",
    "LAGO_DISABLE_SEGMENT": "Lago keeps sending usage data to Segment",
    "LAGO_CLICKHOUSE_ENABLED": "Lago looks for events in ClickHouse",
}


@rule(phase=2, severity=Severity.WARNING)
def switch_misread(model: Model, settings: Settings) -> Iterator[Violation]:
    """Switches have a value that Lago reads as it is meant.

    Most of them are compared with the text `true`: `True`, `1` and `yes` are off. Others are off only for `false`, `0`,
    `f` and `off`, so that `no` switches them on, and some are on for any value.
    """
    for service in (*lago(model), *model.of_role(FRONT)):
        front = service.role == FRONT
        for name, value in service.environment.items():
            if not value or unknown(value):
                continue
            is_on, wanted = reads_as_on(name, value, front), meant_as_on(value)
            if is_on is None or wanted is None or is_on is wanted:
                continue
            text = "true" if wanted else "false" if name in CAST else None
            known = f"only {_listed(FALSE)} switch it off" if name in CAST else "any value switches it on"
            yield Violation(
                service=service,
                at=variable(service, name),
                severity=Severity.ERROR if name in _SERIOUS and not front else None,
                problem=f"{name} is {value!r}, which {'the front' if front else 'Lago'} reads as "
                f"{'on' if is_on else 'off'}: {'only true, in lower case, counts' if wanted else known}",
                impact=_EFFECT.get(name, f"it is switched {'on' if is_on else 'off'}"),
                fix=f'set {name}: "{text}"' if text else f"remove {name}",
            )


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(value for value in values if value and value.islower() or value == "0"))


@rule(phase=2)
def log_level_invalid(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_LOG_LEVEL is one of Rails' levels: debug, info, warn, error, fatal or unknown."""
    for service in lago(model):
        level = service.value("LAGO_LOG_LEVEL")
        if level.strip() and not unknown(level) and level.lower() not in _LOG_LEVELS:
            nearest = {"warning": "warn", "err": "error", "critical": "fatal"}.get(level.lower(), "info")
            yield Violation(
                service=service,
                at=variable(service, "LAGO_LOG_LEVEL"),
                problem=f"LAGO_LOG_LEVEL is {level!r}, which Rails doesn't know",
                impact="the container exits at boot: NameError, uninitialized or wrong constant name",
                fix=f"set LAGO_LOG_LEVEL: {nearest}",
            )


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def license_placeholder(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_LICENSE is a licence key, or not set.

    With any value Lago asks license.getlago.com at each start of each container, and doesn't start without its answer.
    """
    for service in lago(model):
        value = service.value("LAGO_LICENSE")
        if value.strip() and not unknown(value) and is_no_license(value):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_LICENSE"),
                problem="LAGO_LICENSE is no licence key",
                impact="at each start Lago asks license.getlago.com about it, and exits if there is no answer or a "
                "refusal; it gives you no premium features",
                fix="remove LAGO_LICENSE: without it Lago runs as the free edition",
            )


@rule(phase=2, follows=("switch-misread",), follows_variable=("env-name-misspelled",))
def object_store_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """A bucket that Lago stores its files in has a name, a region and credentials."""
    for service in lago(model):
        needed = _store_needs(service)
        missing = [name for name in needed if not service.value(name)]
        source = model.source
        if not missing or (source and source.missing_files.get(service.name)):
            continue
        keys_only = all("KEY" in name for name in missing) and not service.value("LAGO_AWS_S3_ENDPOINT")
        on_s3 = "LAGO_AWS_S3_BUCKET" in needed
        yield Violation(
            service=service,
            at=variable(service, "LAGO_USE_AWS_S3" if on_s3 else "LAGO_USE_GCS"),
            severity=Severity.WARNING if keys_only else at_deploy(model, service, *missing),
            problem=f"{'LAGO_USE_AWS_S3' if on_s3 else 'LAGO_USE_GCS'} is on, but {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not set",
            impact="uploads fail unless the host itself has a role for the bucket: invoices without PDF"
            if keys_only
            else "Lago exits at boot, or every upload fails: no invoice gets a PDF",
            fix="set what is missing, or switch the bucket off and mount a volume at /app/storage",
        )


def _store_needs(service: Service) -> tuple[str, ...]:
    if service.value("LAGO_USE_AWS_S3") == "true":
        from_host = any(name.startswith("AWS_") and service.value(name) for name in service.environment)
        keys = () if from_host else ("LAGO_AWS_S3_ACCESS_KEY_ID", "LAGO_AWS_S3_SECRET_ACCESS_KEY")
        return ("LAGO_AWS_S3_BUCKET", "LAGO_AWS_S3_REGION", *keys)
    if service.value("LAGO_USE_GCS") == "true":
        return ("LAGO_GCS_BUCKET", "LAGO_GCS_PROJECT")
    return ()
