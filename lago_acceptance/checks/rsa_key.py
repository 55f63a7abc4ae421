"""The RSA key of a deployment as its host and its containers have it. Answers, no verdicts."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.roles import API, CLOCK, LAGO_RUBY, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.facts.answers import LoadedKey
from lago_acceptance.facts.types import Container, Facts, KeyFile
from lago_acceptance.lago.key_loading import NATIVE_FILE, NATIVE_FROM
from lago_acceptance.lago.versions import before
from lago_acceptance.model.deployment import Mount, Service


class MountedKey(msgspec.Struct, frozen=True):
    """A key file that a service mounts."""

    service: Service
    mount: Mount
    file: KeyFile


def lago_services(facts: Facts) -> tuple[Service, ...]:
    """migrate, api, worker and clock: the containers, or where none was made the declaration."""
    observed = facts.model().of_role(*LAGO_RUBY)
    return observed or (facts.declaration.of_role(*LAGO_RUBY) if facts.declaration else ())


def mounted_keys(facts: Facts) -> tuple[MountedKey, ...]:
    """The key files that Lago's services mount, also where the file is absent or a folder."""
    found = []
    for service in lago_services(facts):
        for mount in service.mounts:
            file = facts.source(mount.source) if mount.kind == "bind" else None
            if file and (
                file.header
                or mount.target.endswith((".pem", ".key"))
                or mount.source.endswith((".pem", ".key"))
            ):
                found.append(MountedKey(service, mount, file))
    return tuple(found)


def in_volumes(facts: Facts, settings: Settings) -> tuple[Service, ...]:
    """Lago's services that read their key, as from 1.23.0 on they can, out of one of Docker's own volumes."""
    return tuple(
        service
        for service in lago_services(facts)
        if (mount := service.mount_at(NATIVE_FILE))
        and mount.kind == "volume"
        and not before(service, settings, NATIVE_FROM)
    )


def effective_key(facts: Facts, container: Container) -> LoadedKey:
    """What a running container's Ruby makes of the key; nothing is known where it could not be asked."""
    return facts.process(container).key or LoadedKey()


def holders(facts: Facts) -> tuple[Container, ...]:
    """The running containers that keep the key in memory."""
    return tuple(container for role in (API, WORKER, CLOCK) if (container := facts.running(role)))
