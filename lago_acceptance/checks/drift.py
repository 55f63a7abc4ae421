"""Check that the containers are what their files declare now. Secrets are compared by their masks."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import DB, FRONT, LAGO_RUBY
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.model.deployment import Service

# Names that only a file puts there, by role: found in a container and not in the file, they were taken out of the
# file. What images bring themselves (REDIS_VERSION of Redis') is none of these.
_OF_LAGO = ("LAGO_", "DATABASE_", "REDIS_", "SECRET_KEY", "SIDEKIQ_")
_OURS = {**dict.fromkeys(LAGO_RUBY, _OF_LAGO), FRONT: ("LAGO_", "API_URL"), DB: ("POSTGRES_",)}


@registry.check(phase=2, errors={"drift": "The containers are what the compose files on the host declare."})
def containers_match_their_files(facts: Facts) -> Iterator[Finding]:
    """Image, command, variables, mounts and restart policy of each container are those in the files on the host."""
    if facts.declaration is None:
        raise Unknown(
            "the compose file on the host could not be read: "
            f"{facts.declaration_error or 'no container names one'}",
            fix="set deployment.directory in settings.toml, and log in as a user who may read the compose file",
        )
    availability.brought_up(facts)
    declared = {service.name: service for service in facts.declaration.services}
    for container in facts.containers:
        service = declared.get(container.service.name)
        found = (
            list(_differences(service, container.service))
            if service
            else ["the file no longer has this service"]
        )
        if found:
            yield Finding(
                id="drift",
                role=container.role,
                service=container.service.name,
                problem=f"the container differs from the file: {'; '.join(found[:5])}",
                impact="the next recreate changes what runs, whenever that happens",
                fix="deploy what the files say (docker compose up -d), or change the files back to what runs",
            )


def _differences(declared: Service, running: Service) -> Iterator[str]:
    if declared.image and declared.image != running.image:
        yield f"image {running.image} is running, {declared.image} is declared"
    for part in ("entrypoint", "command"):
        wanted = getattr(declared, part)
        if wanted and wanted != getattr(running, part):
            yield f"its {part} differs"
    for name, value in declared.environment.items():
        if value is not None and running.environment.get(name) != value:
            state = "is not set" if name not in running.environment else "has another value"
            yield f"{name} {state} in the container"
    for name in running.environment:
        if name.startswith(_OURS.get(running.role or "", ())) and name not in declared.environment:
            yield f"{name} is set in the container and not in the file"
    targets = {mount.target for mount in running.mounts}
    for mount in declared.mounts:
        if mount.target not in targets and mount.kind != "tmpfs":
            yield f"nothing is mounted at {mount.target}"
    if declared.restart and declared.restart != (running.restart or "no"):
        yield f"its restart policy is {running.restart or 'no'}, {declared.restart} is declared"
