"""What Lago is given in a rehearsal: what runs on a host, or what a compose file declares."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lago_acceptance.core.roles import API, DB, REDIS
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host
from lago_acceptance.model.deployment import Model


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What Lago is given in a rehearsal: images, and either the running API to take it from, or variables and mounts.

    ``lago_image`` may be an id; ``lago_reference`` is what its image is called. ``production`` is the project that must not be touched, "" where there is none. ``environment`` has a NAME=VALUE on each line,
    secrets among them, ``mounts`` a path here, a tab and a path in the container.
    """

    db_image: str
    redis_image: str
    lago_image: str
    lago_reference: str
    running_api: str = ""
    production: str = ""
    environment: str = ""
    mounts: str = ""


def of_deployment(host: Host, facts: Facts, image: str) -> Source:
    """What runs on a host, with ``image`` in place of Lago's where it is not "". UsageError where something does not run."""
    found = {role: facts.running(role) for role in (API, DB, REDIS)}
    api, database, redis = found.values()
    if api is None or database is None or redis is None:
        missing = ", ".join(role for role, container in found.items() if container is None)
        raise UsageError(
            f"a rehearsal on {host.name} takes images and configuration from the running Lago, and no container is running "
            f"for: {missing}; start it, or copy a dump here and name the file"
        )
    return Source(
        db_image=database.image_id,
        redis_image=redis.image_id,
        lago_image=image or api.image_id,
        lago_reference=image or api.service.image,
        running_api=api.id,
        production=facts.project,
    )


def of_files(model: Model, images: Mapping[str, str], image: str) -> Source:
    """What a compose file declares. ``images`` maps its references to those that are here. UsageError where a role is missing."""
    try:
        api, database, redis = (model.of_role(role)[0] for role in (API, DB, REDIS))
    except IndexError:
        raise UsageError(
            "the compose file must declare Lago's API, PostgreSQL and Redis for a rehearsal"
        ) from None
    return Source(
        db_image=images[database.image],
        redis_image=images[redis.image],
        lago_image=images[image or api.image],
        lago_reference=image or api.image,
        environment="\n".join(f"{name}={value or ''}" for name, value in api.environment.items()),
        mounts="\n".join(f"{mount.source}\t{mount.target}" for mount in api.mounts if mount.kind == "bind"),
    )
