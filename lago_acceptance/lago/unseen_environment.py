"""Services whose variables come from elsewhere: a secret store, a file that is sourced, an env_file that isn't here.

What such a service lacks in the file, it may have when it runs. In the model its missing variables have the placeholder
of values that are only given at deploy time, so that no rule takes them for unset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lago_acceptance.core.roles import DB, FRONT, LAGO_RUBY
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.lago.startup import elsewhere, outcome_of, texts_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.shell.dataflow import ShellState

# What a service is asked for, by rules of any kind. Variables that are better unset are not among them.
_LAGO_EXPECTS = (
    "RAILS_ENV",
    "RAILS_LOG_TO_STDOUT",
    "RAILS_LOG_TO_STDOUT",
    "SECRET_KEY_BASE",
    "DATABASE_URL",
    "REDIS_URL",
    "LAGO_RSA_PRIVATE_KEY",
    "LAGO_API_URL",
    "LAGO_FRONT_URL",
    "LAGO_PDF_URL",
    "LAGO_REDIS_CACHE_URL",
    "LAGO_ENCRYPTION_PRIMARY_KEY",
    "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    "LAGO_DISABLE_SIGNUP",
    "LAGO_API_KEY",
    "LAGO_CREATE_ORG",
    "LAGO_ORG_NAME",
    "LAGO_ORG_USER_EMAIL",
    "LAGO_ORG_USER_PASSWORD",
    "LAGO_AWS_S3_BUCKET",
    "LAGO_AWS_S3_REGION",
    "LAGO_AWS_S3_ACCESS_KEY_ID",
    "LAGO_AWS_S3_SECRET_ACCESS_KEY",
    "LAGO_GCS_PROJECT",
    "LAGO_GCS_BUCKET",
)
_EXPECTED = {
    **dict.fromkeys(LAGO_RUBY, _LAGO_EXPECTS),
    FRONT: ("API_URL",),
    DB: ("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"),
}
_OF_FRONT = re.compile(r"API_URL\b[^\w\n]{1,12}\$\{?([A-Za-z_]\w*)")


def with_unseen_environments(model: Model) -> Model:
    """The model with what its services' commands set, and with placeholders for what is set where nobody can see it."""
    services = tuple(_completed(service, model) for service in model.services)
    return msgspec.structs.replace(model, services=services)


def unseen_notes(model: Model) -> Iterator[str]:
    """A sentence for each reason why variables of some services can't be judged."""
    services: dict[str, list[str]] = {}
    for service in model.services:
        if service.environment_elsewhere:
            services.setdefault(service.environment_elsewhere, []).append(service.name)
    for why, names in services.items():
        yield f"not checked: missing variables of {', '.join(names)}, which may get them elsewhere ({why})"


def _completed(service: Service, model: Model) -> Service:
    expected = _EXPECTED.get(service.role or "", ())
    if not expected:
        return service
    given: dict[str, str | None] = {}
    if service.entrypoint or service.command:
        outcome = outcome_of(service, model)
        given = _set_by_command(service, outcome)
        if why := elsewhere(service, model, outcome):
            service = msgspec.structs.replace(service, environment_elsewhere=why)
            # What is set later wins over an empty value.
            given |= {
                name: given_later(name) for name in expected if not (service.value(name) or given.get(name))
            }
    if service.role == FRONT and not service.value("API_URL") and (url := front_url_at_start(service, model)):
        given.setdefault("API_URL", url)
    if service.environment_elsewhere:
        missing = (name for name in expected if name not in service.environment)
        given = {**{name: given_later(name) for name in missing}, **given}
    if not given:
        return service
    return msgspec.structs.replace(service, environment={**service.environment, **given})


def _set_by_command(service: Service, outcome: ShellState) -> dict[str, str | None]:
    """The variables that a command sets and the file doesn't. The RSA key is followed further by ``key_loading``."""
    return {
        name: value.literal if value.literal is not None else given_later(name)
        for name in sorted(outcome.exported)
        if (value := outcome.variables.get(name)) is not None
        and value.literal != ""
        and not service.value(name)
        and name != "LAGO_RSA_PRIVATE_KEY"
    }


def front_url_at_start(service: Service, model: Model) -> str | None:
    """The API's address that a front's own script writes into env-config.js from a variable; None if it writes none."""
    for text in texts_of(service, model):
        if "env-config" not in text:
            continue
        if found := _OF_FRONT.search(text):
            return service.value(found[1])
        if re.search(r"\b(envsubst|sed|jq|awk|perl|printenv)\b|\.template\b", text):
            return service.value("API_URL") or given_later("API_URL")
    return None
