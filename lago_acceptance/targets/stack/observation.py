"""The facts of a stack, with what its overlay took from the services: the file is wrong although the stack is safe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.settings import Signs
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host
from lago_acceptance.model.deployment import Model, Service

_FIELDS = ("privileged", "network_mode", "logging", "command", "profiles", "ports")
# What an overlay may add to.
_TABLES = ("environment", "labels")


def observed(host: Host, project: Project, private: Path, sources: tuple[str, ...], bounds: Signs) -> Facts:
    """The facts of a project, in one round trip. ``sources`` are the host's paths that it mounts, ``bounds`` the signs'."""
    found = observe(
        host,
        project=project.name,
        files_=tuple(str(path) for path in project.files),
        env_files=tuple(str(path) for path in project.env_files),
        directory=str(project.directory),
        sources=sources,
        environment=project.variables,
        bounds=bounds,
    )
    # Files that this run made are not the deployment's.
    own = tuple(each for each in found.texts if not each.path.startswith(str(private)))
    return msgspec.structs.replace(found, texts=own)


def as_written(
    facts: Facts, written: Model, started: Model, own_networks: frozenset[str] = frozenset()
) -> Facts:
    """The facts with what the overlay changed as the compose file has it, of what runs and of what is declared.

    ``started`` is what was brought up of ``written``, ``own_networks`` are those of the run that the file does not have. Data stay where they are, in volumes.
    """
    before, after = ({each.name: each for each in model.services} for model in (written, started))

    def as_in_the_file(service: Service) -> Service:
        known = service.name in before.keys() & after.keys()
        return (
            _service(service, before[service.name], after[service.name], own_networks) if known else service
        )

    declaration = facts.declaration
    if declaration is not None:
        services = tuple(map(as_in_the_file, declaration.services))
        declaration = msgspec.structs.replace(declaration, services=services)
    return msgspec.structs.replace(
        facts,
        declaration=declaration,
        containers=tuple(
            msgspec.structs.replace(each, service=as_in_the_file(each.service)) for each in facts.containers
        ),
    )


def _service(service: Service, written: Service, started: Service, own_networks: frozenset[str]) -> Service:
    changes: dict[str, Any] = {
        field: getattr(written, field)
        for field in _FIELDS
        if getattr(written, field) != getattr(started, field)
    }
    for table in _TABLES:
        if added := getattr(started, table).keys() - getattr(written, table).keys():
            changes[table] = {
                key: value for key, value in getattr(service, table).items() if key not in added
            }
    added = own_networks | (started.networks.keys() - written.networks.keys())
    if added & service.networks.keys():
        changes["networks"] = {key: names for key, names in service.networks.items() if key not in added}
    in_volumes = {mount.target for mount in started.mounts if mount.kind == "volume"}
    taken = {
        mount.target: mount
        for mount in written.mounts
        if mount.kind == "bind" and mount not in started.mounts and mount.target not in in_volumes
    }
    if taken:
        left = (mount for mount in service.mounts if mount.target not in taken)
        changes["mounts"] = (*left, *taken.values())
    if added := {each.target for each in started.mounts} - {each.target for each in written.mounts}:
        mounts = changes.get("mounts", service.mounts)
        changes["mounts"] = tuple(mount for mount in mounts if mount.target not in added)
    return msgspec.structs.replace(service, **changes) if changes else service
