"""Check that Lago's running processes agree on the variables that they share."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, MIGRATE, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Facts

_EACH, _AT_WORK = (API, WORKER, CLOCK, MIGRATE), (API, WORKER)
# The ports that the schemes of the stores' URLs stand for.
_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
# Variables that processes of one Lago must agree on: which processes read them, and the impact where they differ.
_SHARED = {
    "DATABASE_URL": (_EACH, "they work on different databases: what one writes the other never sees"),
    "REDIS_URL": (
        _EACH,
        "the worker never reads what the API enqueues: nothing is billed, while everything looks healthy",
    ),
    "LAGO_REDIS_CACHE_URL": (
        (API, WORKER, CLOCK),
        "the worker can't invalidate the API's cache: usage does not move until the period ends",
    ),
    "SECRET_KEY_BASE": (_AT_WORK, "sessions and links made by one are refused by the other"),
    "LAGO_ENCRYPTION_PRIMARY_KEY": (_AT_WORK, "what one encrypts, the other can't read"),
    "LAGO_API_URL": (_AT_WORK, "links and signatures differ from process to process"),
}


@registry.check(
    phase=2,
    errors={"services-disagree": "Lago's processes agree on the stores, secrets and URLs that they share."},
)
def lagos_processes_agree(facts: Facts) -> Iterator[Finding]:
    """Variables such as DATABASE_URL, REDIS_URL and SECRET_KEY_BASE mean the same in every process that reads them."""
    if len(facts.of_role(*_EACH)) < 2:
        raise Blocked(
            "service-missing" if facts.containers else "not-brought-up",
            "fewer than two Lago processes can be compared",
        )
    for name, (roles, impact) in _SHARED.items():
        values: dict[object, list[str]] = {}
        for container in facts.of_role(*roles):
            values.setdefault(_meaning(container.service.value(name)), []).append(container.service.name)
        if len(values) > 1:
            yield Finding(
                id="services-disagree",
                problem=f"{name} differs: {' against '.join(', '.join(names) for names in values.values())}",
                impact=impact,
                fix=f"set {name} for {', '.join(roles)} in one place (a YAML anchor), and recreate them",
            )


def _meaning(value: str) -> object:
    """What a variable comes to: in a store's URL the default port and database may be left out, and tuning may differ."""
    url = service_url(value)
    if url is None or url.scheme not in _PORTS:
        return value
    schema = [each for each in url.query.split("&") if "search_path" in each]
    return (url.port or _PORTS[url.scheme], url.host, url.database, url.user, url.password, *schema)
