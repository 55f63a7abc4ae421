"""Rules about secrets without which a deploy must not go on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.lago.key_loading import KEY, key_reading
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import uses
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, required_names, texts, variable
from lago_acceptance.rules.helpers.data_stores import services_of

# Without these PostgreSQL or Lago doesn't run; any other secret may be empty.
_NEEDED = re.compile(
    r"SECRET_KEY_BASE|(LAGO_)?ENCRYPTION_(PRIMARY_KEY|DETERMINISTIC_KEY|KEY_DERIVATION_SALT)"
    r"|POSTGRES(QL)?_(POSTGRES_)?PASSWORD|DATABASE_URL|REDIS_URL|LAGO_REDIS_CACHE_URL"
)


@rule(
    phase=1,
    declared_only=True,
    severity=Severity.WARNING,
    follows_at=("env-file-not-used-for-interpolation",),
)
def rsa_env_unguarded(model: Model, settings: Settings) -> Iterator[Violation]:
    """The variable with the RSA key is required: ${LAGO_RSA_PRIVATE_KEY:?...}.

    Compose replaces an unset variable with an empty string and only warns; Lago then crashes in every
    container.
    """
    for service, name, text in texts(model):
        if service.role not in LAGO_RUBY or "RSA_PRIVATE" not in name or name.endswith(("_PATH", "_FILE")):
            continue
        # A second variable of the kind may serve another purpose.
        if service.environment_elsewhere or (
            name != KEY and KEY in service.environment and name not in service.full_command
        ):
            continue
        if key_reading(service, model, settings).via == "file":
            continue
        for use in uses(text):
            if use.name in required_names(model):
                break
            if not use.required and not (use.default or "").strip():
                empty = not service.value(name)
                known = model.source is None or model.source.environment_known
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    severity=Severity.ERROR if empty and known else None,
                    problem=f"{name} is empty, because ${{{use.name}}} is unset and not required"
                    if empty
                    else f"{name} comes from ${{{use.name}}}, which isn't required",
                    impact="OpenSSL::PKey::RSAError at boot in migrate, api, worker and clock"
                    if empty
                    else "if the variable is unset, Compose only warns and Lago restarts forever",
                    fix=f"make it required: {name}: ${{{use.name}:?base64 of the PEM}}",
                )
                break
    for service in lago(model):
        if service.environment.get(KEY, "") is None and not service.environment_elsewhere:
            yield Violation(
                service=service,
                at=variable(service, KEY),
                problem=f"{KEY} comes from the shell of whoever deploys, and isn't required",
                impact="if it is unset there, Lago restarts forever",
                fix=f"make it required: {KEY}: ${{{KEY}:?base64 of the PEM}}",
            )


@rule(
    phase=0,
    declared_only=True,
    severity=Severity.WARNING,
    follows_at=("env-file-not-used-for-interpolation",),
)
def secret_env_unguarded(model: Model, settings: Settings) -> Iterator[Violation]:
    """Secrets that Lago needs are required variables: ${SECRET_KEY_BASE:?}, ${POSTGRES_PASSWORD:?}.

    A required variable that is unset stops the deploy; any other becomes an empty string. Lago needs SECRET_KEY_BASE,
    the three encryption keys and the passwords of PostgreSQL and Redis; its other secrets may be empty.
    """
    source = model.source
    if source is None:
        return
    found: dict[tuple[str, str], tuple[Service, str]] = {}
    for service, name, text in texts(model):
        if (
            not _NEEDED.fullmatch(name)
            or service not in services_of(model, *LAGO_RUBY, DB)
            or service.environment_elsewhere
        ):
            continue
        for use in uses(text):
            # Redis may have no password: whoever writes `:-` says so.
            meant = use.default is not None and "REDIS" in name
            given = use.required or meant or (use.default or "").strip() or use.name in required_names(model)
            if not given and use.name in source.unset and sounds_secret(use.name):
                found.setdefault((service.name, use.name), (service, name))
    names = list(dict.fromkeys(name for _, name in found))
    for service, name in found.values():
        yield Violation(
            service=service,
            at=variable(service, name),
            severity=Severity.ERROR if source.environment_known else None,
            problem=f"{names[0]} is unset and not required, so the value is empty"
            if len(names) == 1
            else f"{', '.join(names)} are unset and not required, so their values are empty",
            impact=f"{'PostgreSQL' if service.role == DB and len(names) == 1 else 'Lago'} crashes at boot, or runs with an "
            "empty secret",
            fix=f"write ${{{names[0]}:?}}{'' if len(names) == 1 else ', and so for each'}, and set it where you deploy",
        )
