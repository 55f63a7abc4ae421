"""Rules about variables that Lago ignores: names that it doesn't know, or not in this version."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.key_loading import KEY
from lago_acceptance.lago.release_table import Numbers, is_known
from lago_acceptance.lago.variables import (
    API_SIDE,
    FRONT_NEVER_READ,
    FRONT_SIDE,
    NEVER_READ,
    RENAMED,
    SET_ON_FRONT_BY_UPSTREAM,
    known,
    meant,
    numbers,
)
from lago_acceptance.lago.versions import tag_of, version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import nested
from lago_acceptance.model.once import once
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, mentioned, variable
from lago_acceptance.rules.helpers.misnamed import misnamed_names

# Without these something is broken at once, so a typo in them is an error.
_VITAL = frozenset(
    (
        KEY,
        "API_URL",
        "DATABASE_URL",
        "LAGO_API_URL",
        "LAGO_CREATE_ORG",
        "LAGO_DISABLE_SIGNUP",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_FRONT_URL",
        "LAGO_PDF_URL",
        "LAGO_REDIS_CACHE_URL",
        "LAGO_USE_AWS_S3",
        "LAGO_USE_GCS",
        "RAILS_ENV",
        "REDIS_URL",
        "SECRET_KEY_BASE",
    )
)
# Other things than Lago read these, too: scripts that ask its API, image tags, checks.
_OF_OTHERS = frozenset(("LAGO_API_KEY", "LAGO_DOMAIN", "LAGO_VERSION"))


@once
def _interpolated(model: Model) -> frozenset[str]:
    """The variables that the compose file uses in other places than to pass them on under the same name.

    An env_file that sets one of these serves that purpose.
    """

    def of(part: object, key: object = None) -> Iterator[str]:
        if isinstance(part, str) and "$" in part:
            name, equals, _ = part.partition("=")
            own = key if key is not None else name if equals else None
            yield from (use.name for use in nested(part) if use.name != own)
        elif isinstance(part, dict):
            for own, each in part.items():
                yield from of(each, own)
        elif isinstance(part, list):
            for each in part:
                yield from of(each)

    return frozenset(of(model.source.document)) if model.source else frozenset()


def _ignored(model: Model, service: Service, version: Numbers | None) -> Iterator[tuple[str, str | None]]:
    """The names in a service's environment that no version of Lago reads, with the one that was meant."""
    front = service.role == FRONT
    others = set(misnamed_names(service, model)) | _interpolated(model)
    readable = known(API_SIDE) | known(FRONT_SIDE)
    for name in service.environment:
        if name in readable or name in others or mentioned(model, service, name):
            continue
        if name.endswith(("_FILE", "_PATH")) and "RSA" in name:
            continue
        yield name, meant(name, FRONT_SIDE if front else API_SIDE, version)


@rule(phase=2, severity=Severity.WARNING)
def env_name_misspelled(model: Model, settings: Settings) -> Iterator[Violation]:
    """Variables are spelled as Lago spells them.

    A name that Lago doesn't know is close to one that it reads in this version, and that one isn't set.
    """
    for service in (*lago(model), *model.of_role(FRONT)):
        front = service.role == FRONT
        program = "the front" if front else "Lago"
        names = list(_ignored(model, service, version_of(service, settings)))
        if front and not service.value("LAGO_DOMAIN"):
            names += [(name, "API_URL") for name in service.environment if name == "LAGO_API_URL"]
        for name, right in names:
            if right and right not in service.environment:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    severity=Severity.ERROR if right in _VITAL else None,
                    problem=f"{program} doesn't read {name}; did you mean {right}?",
                    impact=f"the value has no effect, and {right} is not set",
                    fix=f"rename it to {right}",
                )


@rule(phase=2, severity=Severity.WARNING, follows_at=("rsa-public-key-mismatch",))
def unknown_env_ignored(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every LAGO_* variable is one that this version of Lago reads.

    Lago silently ignores names that it doesn't know. The list has the names of each release; for a release that is newer
    than the list, only names that are surely wrong are reported.
    """
    for service in (*lago(model), *model.of_role(FRONT)):
        version = version_of(service, settings)
        yield from _unknown(model, service, version)
        if service.role != FRONT and version:
            yield from _of_other_versions(model, service, version)


def _unknown(model: Model, service: Service, version: Numbers | None) -> Iterator[Violation]:
    front = service.role == FRONT
    listed = version is not None and is_known(version)
    for name, right in _ignored(model, service, version):
        if right and right not in service.environment:
            continue
        never = _among(name, FRONT_NEVER_READ) if front else name in NEVER_READ
        if name in SET_ON_FRONT_BY_UPSTREAM or (name == "RSA_PRIVATE_KEY" and KEY in service.environment):
            continue
        if never or (name.startswith("LAGO_") and (right or listed)):
            hint = " (it reads API_URL)" if front and never else f" (it reads {right})" if right else ""
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"{'the front' if front else 'Lago'} doesn't read {name}{hint}",
                impact="the value has no effect",
                fix="remove the line, or correct the name" if not right else f"remove it: {right} is set",
            )


def _of_other_versions(model: Model, service: Service, version: Numbers) -> Iterator[Violation]:
    used = _interpolated(model)
    for name, value in service.environment.items():
        found = known(API_SIDE).get(name)
        if not found or found.read_in(version) or not value or name in _OF_OTHERS or name in used:
            continue
        if not name.startswith(("LAGO_", "SIDEKIQ_")) or mentioned(model, service, name):
            continue
        gone = found.until and version > numbers(found.until)
        when = f"up to {found.until}" if gone else f"since {found.since}"
        instead = RENAMED.get(name)
        yield Violation(
            service=service,
            at=variable(service, name),
            severity=Severity.ERROR if instead in _VITAL and instead not in service.environment else None,
            problem=f"{tag_of(service) or 'this version'} doesn't read {name}: only Lago {when} reads it",
            impact="the value has no effect",
            fix=f"use {instead} instead" if instead else "remove it, or run a version that reads it",
        )


def _among(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
