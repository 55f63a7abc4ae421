"""Rules about a change of the deployment's parts: the compose file that is deployed now, compared with the next one.

Each rule yields Violations about the new version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import asdict

from lago_acceptance.core.roles import API, DB, FRONT, LAGO_RUBY, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.release_changes import Objection, way_back
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.changes import comparable_names, pairs
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_labels import disabled, routers
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part
from lago_acceptance.rules.helpers.data_stores import default_directory


def _volume(model: Model, service: Service, role: str) -> tuple[str, str] | None:
    """The volume that holds a service's data, and the folder inside of it."""
    directory = (service.value("PGDATA") or default_directory(service)) if role == DB else _DATA[role]
    mount = service.mount_at(directory.rstrip("/"))
    if mount is None or not mount.source:
        return None
    name = next((volume.name for volume in model.volumes if volume.key == mount.source), mount.source)
    return name, directory.rstrip("/")[len(mount.target.rstrip("/")) :].strip("/")


_LOST = {
    DB: "no customers, invoices and API keys",
    REDIS: "the jobs that were waiting are never done",
    API: "it answers 404 for every PDF so far",
    WORKER: "the PDFs so far aren't there",
}
_DATA = {REDIS: "/data", API: "/app/storage", WORKER: "/app/storage"}


def _volume_and_folder(volume: tuple[str, str]) -> str:
    name, folder = volume
    return f"{name}, folder {folder}" if folder else name


@rule(phase=0, needs_base=True)
def volume_moved(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The volumes of the database, Redis and Lago's files keep their names and mount points.

    With another volume name, project name or target Docker creates a new, empty volume: the deploy comes up
    green on an empty database.
    """
    comparable = comparable_names(old, new)
    for role in (DB, *_DATA):
        for before, after in pairs(old, new, role):
            had, has = _volume(old, before, role), _volume(new, after, role)
            alike = had and has and had[1] == has[1] and comparable(had[0]) == comparable(has[0])
            if had and not alike:
                now = f"now it is in {_volume_and_folder(has)}" if has else "now it is on no volume"
                yield Violation(
                    service=after,
                    at=part(after, "volumes"),
                    problem=f"its data was in {_volume_and_folder(had)}; {now}",
                    impact=f"the service comes up healthy and empty: {_LOST[role]}",
                    fix=f"keep the volume (name: {had[0]}), or copy the data before you deploy",
                )


@rule(phase=0, needs_base=True)
def project_renamed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The project keeps its name.

    Compose names volumes, networks and containers after the project.
    """
    if (
        old.project
        and new.project
        and old.project != new.project
        and "name"
        in (*(old.source.document if old.source else ()), *(new.source.document if new.source else ()))
    ):
        yield Violation(
            at=("name",),
            problem=f"the project was called {old.project}, now it is {new.project}",
            impact="Compose creates new, empty volumes, and the old containers keep running beside the "
            "new ones",
            fix=f"restore `name: {old.project}`",
        )


@rule(phase=0, needs_base=True)
def image_goes_back(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """No image goes back to an older version.

    Lago's migrations are not undone, so an older Lago needs the database of before: `lago-acceptance rollback HOST` restores
    its dump. Between two releases with the same schema it is a warning. PostgreSQL can't start on the data files of another
    major version.
    """
    lago_went_back = False
    for before, after in pairs(old, new, *LAGO_RUBY, FRONT, DB, REDIS):
        had, has = _version(before, settings), _version(after, settings)
        shared = min(len(had or ()), len(has or ()))
        of_lago = before.role in (*LAGO_RUBY, FRONT)
        if had and has and has[:shared] < had[:shared]:
            # The front and the other services of Lago go back with the first.
            if of_lago and lago_went_back:
                continue
            lago_went_back = lago_went_back or of_lago
            objection = _way_back(before, after, had, has)
            yield Violation(
                service=after,
                at=part(after, "image"),
                **asdict(objection),
            )
        elif before.role == DB and had and has and has[0] != had[0]:
            yield Violation(
                service=after,
                at=part(after, "image"),
                problem=f"PostgreSQL goes from {had[0]} to {has[0]} on the same volume",
                impact="PostgreSQL doesn't start: database files are incompatible with server",
                fix="run pg_upgrade, or dump and restore, before you deploy",
            )


def _way_back(before: Service, after: Service, had: tuple[int, ...], has: tuple[int, ...]) -> Objection:
    was, now = (service.image.rpartition(":")[2] for service in (before, after))
    of_ruby = way_back(had, has, was, now) if before.role in LAGO_RUBY else None
    return of_ruby or Objection(
        problem=f"its image goes back from {was} to {now}",
        impact="old code on a newer schema or newer data files: it answers 500 or doesn't start",
        fix="deploy the same or a newer version, or restore a backup that was taken with the old one",
    )


def _version(service: Service, settings: Settings) -> tuple[int, ...] | None:
    found = re.match(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", service.image.partition("@")[0].rpartition(":")[2])
    return version_of(service, settings) or (
        tuple(int(each) for each in found.groups() if each) if found else None
    )


@rule(phase=0, needs_base=True)
def service_gone(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """Every service of Lago that is deployed now is still in the file."""
    for role in dict.fromkeys(service.role for service in old.services if service.role):
        if not new.of_role(role):
            gone = old.of_role(role)[0]
            yield Violation(
                at=("services",),
                problem=f"{gone.name} ({role}) is no longer in the file",
                impact="its container keeps running as an orphan with the old settings until someone "
                "removes it",
                fix="put the service back, or deploy with `docker compose up --remove-orphans` and waive "
                "this finding",
            )


def _answered(model: Model) -> set[tuple[str, str]]:
    """Each public name with each entry point that routes it; "" stands for every entry point."""
    return {
        (host, entrypoint)
        for service in model.services
        if not disabled(service)
        for router in routers(service)
        for host in router.hosts
        for entrypoint in router.entrypoints or ("",)
    }


@rule(phase=0, needs_base=True)
def router_gone(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """Every public name keeps its router."""
    had, has = _answered(old), _answered(new)
    everywhere = {host for host, entrypoint in has if not entrypoint}
    for host, entrypoint in sorted(had - has):
        if unknown(host) or not entrypoint or host in everywhere:
            continue
        yield Violation(
            at=("services",),
            problem=f"no router answers to {host} on {entrypoint} anymore",
            impact=f"404 at {host}",
            fix="restore the labels of that router",
        )
