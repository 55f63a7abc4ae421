"""Where a running container differs from what its files declare now. Secrets are compared by their masks."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.roles import DB, FRONT, LAGO_RUBY
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.model.deployment import Service

# Names that only a file puts there, by role: found in a container and not in the file, they were taken out of the
# file. What images bring themselves (REDIS_VERSION of Redis') is none of these.
_OF_LAGO = ("LAGO_", "DATABASE_", "REDIS_", "SECRET_KEY", "SIDEKIQ_")
_OURS = {**dict.fromkeys(LAGO_RUBY, _OF_LAGO), FRONT: ("LAGO_", "API_URL"), DB: ("POSTGRES_",)}


def differences(facts: Facts) -> Iterator[tuple[Container, list[str]]]:
    """Containers that differ from their declaration, each with what differs."""
    declared = {service.name: service for service in facts.declaration.services}
    for container in facts.containers:
        service = declared.get(container.service.name)
        found = (
            list(_between(service, container.service))
            if service
            else ["the file has no such service any more"]
        )
        if found:
            yield container, found


def _between(declared: Service, running: Service) -> Iterator[str]:
    if declared.image and declared.image != running.image:
        yield f"image {running.image} runs, {declared.image} is declared"
    for part in ("entrypoint", "command"):
        wanted = getattr(declared, part)
        if wanted and wanted != getattr(running, part):
            yield f"its {part} is another"
    for name, value in declared.environment.items():
        if value is not None and running.environment.get(name) != value:
            state = "is not set" if name not in running.environment else "has another value"
            yield f"{name} {state} in the container"
    for name in running.environment:
        if name.startswith(_OURS.get(running.role, ())) and name not in declared.environment:
            yield f"{name} is set in the container and not in the file"
    targets = {mount.target for mount in running.mounts}
    for mount in declared.mounts:
        if mount.target not in targets and mount.kind != "tmpfs":
            yield f"nothing is mounted at {mount.target}"
    if declared.restart and declared.restart != (running.restart or "no"):
        yield f"its restart policy is {running.restart or 'no'}, {declared.restart} is declared"
