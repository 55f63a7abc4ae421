"""Rules about the secrets that Lago's services share."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.variables import API_SIDE, known
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import agreement, variable


def _read_as(name: str, service: Service, settings: Settings) -> tuple[str, ...]:
    """The names under which this version reads an encryption key: the old one without LAGO_, later both."""
    old = name.removeprefix("LAGO_")
    return (old, name) if known(API_SIDE)[name].read_in(version_of(service, settings)) else (old,)


@rule(phase=2, follows=("two-deployments",))
def secrets_disagree(model: Model, settings: Settings) -> Iterator[Violation]:
    """SECRET_KEY_BASE and the encryption keys are the same in all of Lago's services."""
    names = (
        "SECRET_KEY_BASE",
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    for name in names:
        for service, first, _, _ in agreement(model, name):
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"its {name} differs from that of {first.name}",
                impact="what one encrypts or signs, the other can't decrypt or verify",
                fix=f"set one {name} for all of Lago's services (a YAML anchor)",
            )


@rule(
    phase=2,
    severity=Severity.WARNING,
    follows_at=(
        "secret-env-unguarded",
        "env-file-not-used-for-interpolation",
    ),
    follows_variable=("env-name-misspelled",),
)
def encryption_keys_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API has its three encryption keys.

    Payment providers and integrations can't be added without them.
    """
    names = (
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    for service in model.of_role(API):
        missing = [
            name
            for name in names
            if not any(service.value(each) for each in _read_as(name, service, settings))
        ]
        if missing:
            old = missing[0].removeprefix("LAGO_")
            unread = [name for name in missing if service.value(name)]
            yield Violation(
                service=service,
                at=variable(service, missing[0] if missing[0] in service.environment else old),
                problem=f"this version reads {', '.join(each.removeprefix('LAGO_') for each in unread)}, not {unread[0]}"
                if unread
                else f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                impact="adding a payment provider or an integration answers 500",
                fix="set the same keys under those names on all of Lago's services"
                if unread
                else "generate each with openssl rand -hex 16, and set it on all of Lago's services",
            )
