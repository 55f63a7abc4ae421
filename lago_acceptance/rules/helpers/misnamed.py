"""Names that other applications use for what Lago reads by another name. No rule is registered here."""

from __future__ import annotations

import re

from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules.helpers import mentioned

# Wrong names for SECRET_KEY_BASE, DATABASE_URL and REDIS_URL that are common in other applications.
SIMILAR = {
    "SECRET_KEY_BASE": re.compile(
        r"(LAGO_|RAILS_|APP_|API_)?(SECRET(_?KEY)?(_?BASE)?(_KEY)?|KEY_BASE|SECRET_KEY_BASE_\w+)"
    ),
    "DATABASE_URL": re.compile(
        r"(LAGO_|RAILS_|APP_|PRIMARY_)?(DATABASE|DB|POSTGRES|POSTGRESQL|PG)_?"
        r"(URL|URI|DSN|CONNECTION(_STRING)?|HOST|SERVER)"
    ),
    "REDIS_URL": re.compile(
        r"(LAGO_|RAILS_|APP_|SIDEKIQ_)?REDIS(_?(URL|URI|DSN|HOST|SERVER|ADDR|ADDRESS|ENDPOINT))?"
    ),
}


def misnamed_as(service: Service, right: str, model: Model) -> str | None:
    """The variable that a service has instead of ``right``, by a similar name; None if there is none."""
    if service.value(right):
        return None
    return next(
        (
            name
            for name in service.environment
            if name != right and SIMILAR[right].fullmatch(name) and not mentioned(model, service, name)
        ),
        None,
    )


def misnamed_names(service: Service, model: Model) -> tuple[str, ...]:
    """The names that a service has instead of those three."""
    found = (misnamed_as(service, right, model) for right in SIMILAR if service.role in LAGO_RUBY)
    return tuple(name for name in found if name)
