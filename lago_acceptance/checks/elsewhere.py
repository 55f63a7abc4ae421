"""Stores that are no container of the deployment: a managed PostgreSQL or Redis, or one of another project."""

from __future__ import annotations

from lago_acceptance.core.roles import DB, LAGO_RUBY, REDIS
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts

_URLS = {DB: "DATABASE_URL", REDIS: "REDIS_URL"}
_NAMES = {DB: "PostgreSQL", REDIS: "Redis"}
CLIENTS = {DB: 'psql "$DATABASE_URL"', REDIS: 'redis-cli -u "$REDIS_URL"'}
"""How each store's client is called where the store runs elsewhere: a shell's text, on a machine that reaches it."""


def host(facts: Facts, role: str) -> str:
    """The host name in Lago's URL of a store, else what the store is."""
    urls = (service_url(each.service.value(_URLS[role])) for each in facts.of_role(*LAGO_RUBY))
    return next((url.host for url in urls if url and url.host), _NAMES[role])


def log(facts: Facts, role: str, name: str, options: str = "--tail 20 ") -> str:
    """The log of a store, as a text for a command or a sentence; ``name`` is that of its container."""
    if role in facts.elsewhere:
        return f"the log of {_NAMES[role]} at {host(facts, role)}"
    return f"docker logs {options}{name}"


def must_be_here(facts: Facts, role: str, what: str) -> None:
    """Unknown where a store runs elsewhere: ``what`` can only be seen of a container."""
    if role in facts.elsewhere:
        raise Unknown(
            f"{_NAMES[role]} runs at {host(facts, role)}, outside this deployment's containers: {what}",
            why=f"{_NAMES[role]} runs outside this deployment's containers",
        )
