"""Rules about Lago's images: tags that mislead, and what a release needs beside its image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, MIGRATE
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.release_table import (
    Numbers,
    is_known,
    is_misnumbered,
    nearest,
    newest,
    releases,
    same_schema,
)
from lago_acceptance.lago.releases import release_of
from lago_acceptance.lago.versions import is_all_in_one, is_upstream, tag_of, written_version
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, part


def _tagged(model: Model, settings: Settings) -> Iterator[tuple[Service, Numbers]]:
    """The services that run upstream's API image, with the numbers in its tag."""
    for service in lago(model):
        numbers = written_version(service, settings)
        if numbers and is_upstream(service) and not unknown(service.image):
            yield service, numbers


@rule(phase=2, severity=Severity.WARNING)
def misleading_tag(model: Model, settings: Settings) -> Iterator[Violation]:
    """The image's tag says how old its release is.

    v1.16.1 was made from v1.26.1, five months and 125 migrations after v1.16.0.
    """
    for service, numbers in _tagged(model, settings):
        release = releases().get(numbers)
        if release and is_misnumbered(release):
            real, earlier = same_schema(release), nearest((*numbers[:2], numbers[2] - 1))
            more = (
                f", {release.migrations - earlier.migrations} migrations after {earlier.tag}"
                if earlier
                else ""
            )
            yield Violation(
                service=service,
                at=part(service, "image"),
                problem=f"{release.tag} is {real.tag} under another number{more}",
                impact=f"coming from {earlier.tag if earlier else 'an older release'} it is a large upgrade, and there is no "
                "way back without a backup",
                fix=f"use {earlier.tag if earlier else real.tag}, or name the release that it is: {real.tag}",
            )


@rule(phase=2, severity=Severity.WARNING)
def unknown_release(model: Model, settings: Settings) -> Iterator[Violation]:
    """The image's tag is a release that is known here.

    What isn't known is judged like the nearest older release.
    """
    for service, numbers in _tagged(model, settings):
        exact = re.fullmatch(r"v?\d+\.\d+\.\d+", tag_of(service))
        like = nearest(numbers)
        if exact and like and numbers not in releases():
            newer = not is_known(numbers)
            yield Violation(
                service=service,
                at=part(service, "image"),
                problem=f"{tag_of(service)} is "
                + (
                    f"newer than any release known here (up to {newest().tag})"
                    if newer
                    else "not one of Lago's releases"
                ),
                impact=f"it is judged like {like.tag}: what changed since is not seen"
                if newer
                else f"the image can't be pulled if there is no such tag; it is judged like {like.tag}",
                fix="read upstream's release notes for what changed, or correct the tag",
            )


@rule(phase=2, severity=Severity.WARNING)
def all_in_one_image(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago runs as separate services, not as the all-in-one image getlago/lago.

    That image holds PostgreSQL, Redis, API, worker, clock and front in one container; upstream makes it for tests and staging.
    """
    for service in model.services:
        if is_all_in_one(service):
            kept = service.mount_at("/data")
            yield Violation(
                service=service,
                at=part(service, "image"),
                problem="getlago/lago is the all-in-one image: database, Redis, API, worker, clock and front in one container",
                impact="upstream makes it for tests and staging; what runs inside is not judged here"
                + (
                    ""
                    if kept
                    else ", and without a volume at /data its data and secrets go with the container"
                ),
                fix="use getlago/api and getlago/front with services of their own"
                + ("" if kept else ", or at least mount a named volume at /data"),
            )


@rule(phase=2, severity=Severity.WARNING)
def roles_not_seeded(model: Model, settings: Settings) -> Iterator[Violation]:
    """From v1.40.1 on the migration also seeds Lago's predefined roles.

    ./scripts/migrate.sh does; a migration with commands of its own needs `rails roles:seed_predefined`. ./scripts/start.sh
    doesn't seed them.
    """
    migrating = model.of_role(MIGRATE)
    plain = [service for service in model.of_role(API) if "start.sh" in service.full_command]
    for service in migrating or plain:
        release = release_of(service, settings)
        command = service.full_command
        known = re.search(r"db:(migrate|prepare|setup)|scripts/start\.sh", command)
        if release and release.seeds_roles and known and not re.search(r"roles:|/migrate\.sh", command):
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem=f"{release.tag} needs its predefined roles seeded, and nothing runs `rails roles:seed_predefined`",
                impact="on a new database there are no roles: every login is forbidden",
                fix="run ./scripts/migrate.sh, or add roles:seed_predefined behind db:migrate",
            )
