"""What only a change can break: two versions of a compose file, the one that runs and the one that shall.

Each rule yields Violations about the new version. Values that are given at deploy time only are compared by the
variable that they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, DB, FRONT, LAGO_RUBY, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import given_later, unknown
from lago_acceptance.lago.key_loading import KEY, key_reading
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import nested
from lago_acceptance.model.traefik_labels import disabled, routers
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import at_deploy, default_directory, named, part, reference, variable


def _pairs(old: Model, new: Model, *roles: str) -> Iterator[tuple[Service, Service]]:
    """The services of a role before and after: those of one name, else the only ones."""
    for role in roles:
        before = {service.name: service for service in old.of_role(role)}
        after = new.of_role(role)
        for service in after:
            if service.name in before:
                yield before[service.name], service
            elif len(before) == len(after) == 1:
                yield next(iter(before.values())), service


def _comparable(old: Model, new: Model) -> Callable[[str], str]:
    """Makes the names of files and volumes comparable, for a copy of the file lies in another folder than the file.

    A path beside the file is relative, and the name of a project that is called after its folder isn't in its
    volumes' names.
    """
    written = [model.written for model in (old, new) if model.written]
    folders = [f"{Path(each.path).resolve().parent}/" for each in written]
    unnamed = not any("name" in each.document for each in written)
    prefixes = [*folders, *(f"{model.project}_" for model in (old, new) if unnamed and model.project)]

    def comparable(name: str) -> str:
        return next((name[len(prefix) :] for prefix in prefixes if name.startswith(prefix)), name)

    return comparable


def _volume(model: Model, service: Service, role: str) -> tuple[str, str] | None:
    """The volume that holds a service's data, and the data's place in it."""
    directory = (service.value("PGDATA") or default_directory(service)) if role == DB else _DATA[role]
    mount = service.mount_at(directory.rstrip("/"))
    if mount is None or not mount.source:
        return None
    name = next((volume.name for volume in model.volumes if volume.key == mount.source), mount.source)
    return name, directory.rstrip("/")[len(mount.target.rstrip("/")) :].strip("/")


_DATA = {REDIS: "/data", API: "/app/storage", WORKER: "/app/storage"}


def _told(place: tuple[str, str]) -> str:
    return f"{place[0]}, folder {place[1]}" if place[1] else place[0]


@rule(phase=0, needs_base=True)
def volume_moved(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """Data stay where they are: the volume of database, Redis and storage keeps its name and its place.

    Another name, another project name, or another target is a new and empty volume: the deploy comes up
    green, with an empty database.
    """
    comparable = _comparable(old, new)
    for role in (DB, *_DATA):
        for before, after in _pairs(old, new, role):
            had, has = _volume(old, before, role), _volume(new, after, role)
            alike = had and has and had[1] == has[1] and comparable(had[0]) == comparable(has[0])
            if had and not alike:
                to = f"now they are in {_told(has)}" if has else "now there is no volume for them"
                yield Violation(
                    service=after,
                    at=part(after, "volumes"),
                    problem=f"its data were in {_told(had)}; {to}",
                    impact="the service comes up healthy and empty: customers, invoices and API keys "
                    "are not there",
                    fix=f"keep the volume (name: {had[0]}), or move the data before the deploy",
                )


def _changed(
    before: Service, after: Service, name: str, old: Model, new: Model
) -> tuple[str, Severity | None] | None:
    """How a variable is another one now, and how bad that is; None where it isn't, or only the deploy tells.

    A text that becomes a variable of the deploy may keep its value: that is a warning. One that was the
    variable's default is not told of, for without the variable Compose now stops.
    """
    was, is_ = before.value(name), after.value(name)
    if not was or was == is_:
        return None
    if not is_:
        return None if at_deploy(new, after, name) else ("is gone", None)
    if unknown(is_) and not unknown(was):
        text = old.written.text(before.name, name) if old.written else None
        default = any(given_later(use.name) in is_ for use in nested(text or ""))
        return None if default else ("stood in the file; now it is given at deploy", Severity.WARNING)
    return "is changed", None


def _value_changed(
    old: Model, new: Model, names: tuple[str, ...], impact: str, fix: str
) -> Iterator[Violation]:
    before, after = reference(old), reference(new)
    for name in names:
        if before and after and (said := _changed(before, after, name, old, new)):
            yield Violation(
                service=after,
                at=variable(after, name),
                severity=said[1],
                problem=f"{name} {said[0]}",
                impact=impact,
                fix=fix,
            )


@rule(phase=0, needs_base=True)
def secret_key_base_changed(old: Model, new: Model, settings: Settings) -> Iterable[Violation]:
    """SECRET_KEY_BASE stays: every session and portal link is signed with it."""
    return _value_changed(
        old,
        new,
        ("SECRET_KEY_BASE",),
        "everybody is logged out, and links to the portal die",
        "keep the value",
    )


@rule(phase=0, needs_base=True)
def encryption_key_changed(old: Model, new: Model, settings: Settings) -> Iterable[Violation]:
    """The encryption keys stay: what they encrypted can't be read with others."""
    names = (
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    return _value_changed(
        old, new, names, "the stored secrets of payment providers can't be read any more", "keep the values"
    )


@rule(phase=0, needs_base=True)
def rsa_key_changed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The RSA key stays: receivers of webhooks verify with its public half."""
    before, after = reference(old), reference(new)
    if before is None or after is None:
        return
    had, has = key_reading(before, old, settings), key_reading(after, new, settings)
    comparable = _comparable(old, new)
    kinds = [reading.identity.partition(" ") for reading in (had, has)]
    files = [bool(blank) for _, blank, _ in kinds]
    names = [comparable(name) if blank else digest for digest, blank, name in kinds]
    differs = all(names) and files[0] == files[1] and names[0] != names[1]
    given = has.via == had.via == "variable" and after.value(KEY) and _changed(before, after, KEY, old, new)
    if differs or given and not all(names):
        yield Violation(
            service=after,
            at=has.at,
            severity=None if differs else given[1],
            problem="Lago's RSA key is another one" if differs else f"{KEY} {given[0]}",
            impact="receivers of webhooks refuse what the new key signs",
            fix="keep the key, or give every receiver the new public half",
        )


def _inside(model: Model, host: str) -> bool:
    return any(service.role == DB for service in named(model, host))


@rule(phase=0, needs_base=True)
def db_password_changed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The database's password stays, or is changed in the database too: PostgreSQL takes it only with a new volume."""
    for before, after in _pairs(old, new, DB):
        for name in ("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"):
            if said := _changed(before, after, name, old, new):
                yield Violation(
                    service=after,
                    at=variable(after, name),
                    severity=said[1],
                    problem=f"{name} {said[0]}",
                    impact="the old volume keeps the old one: password authentication failed",
                    fix="keep it, or change it in the database first (ALTER USER)",
                )
    for before, after in _pairs(old, new, API):
        was, is_ = service_url(before.value("DATABASE_URL")), service_url(after.value("DATABASE_URL"))
        inside = was and is_ and _inside(old, was.host) and _inside(new, is_.host)
        renamed = inside and was.database == is_.database
        if was and is_ and (was.host, was.database) != (is_.host, is_.database) and not renamed:
            yield Violation(
                service=after,
                at=variable(after, "DATABASE_URL"),
                problem=f"Lago's database was {was.database} on {was.host}, now it is {is_.database} on "
                f"{is_.host}",
                impact="it comes up healthy on another, perhaps empty, database",
                fix="move the data before the deploy",
            )


@rule(phase=0, needs_base=True)
def project_renamed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The project keeps its name: volumes and networks are called after it."""
    if (
        old.project
        and new.project
        and old.project != new.project
        and "name"
        in (*(old.written.document if old.written else ()), *(new.written.document if new.written else ()))
    ):
        yield Violation(
            at=("name",),
            problem=f"the project was called {old.project}, now it is {new.project}",
            impact="new and empty volumes, and the old containers go on beside the new ones",
            fix=f"name: {old.project}",
        )


@rule(phase=0, needs_base=True)
def image_goes_back(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """No image goes back to an older version: migrations are not taken back."""
    for before, after in _pairs(old, new, *LAGO_RUBY, FRONT, DB, REDIS):
        had, has = _version(before, settings), _version(after, settings)
        shared = min(len(had or ()), len(has or ()))
        if had and has and has[:shared] < had[:shared]:
            yield Violation(
                service=after,
                at=part(after, "image"),
                problem=f"its image goes back from {before.image.rpartition(':')[2]} to "
                f"{after.image.rpartition(':')[2]}",
                impact="older code meets a newer schema or newer data files: 500, or it refuses to start",
                fix="go forward, or restore the backup of that version",
            )
        elif before.role == DB and had and has and has[0] != had[0]:
            yield Violation(
                service=after,
                at=part(after, "image"),
                problem=f"PostgreSQL goes from {had[0]} to {has[0]} on the same volume",
                impact="database files are incompatible with server: it doesn't start",
                fix="dump and restore, or pg_upgrade, before the deploy",
            )


def _version(service: Service, settings: Settings) -> tuple[int, ...] | None:
    found = re.match(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", service.image.partition("@")[0].rpartition(":")[2])
    return version_of(service, settings) or (
        tuple(int(each) for each in found.groups() if each) if found else None
    )


@rule(phase=0, needs_base=True)
def service_gone(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """No part of Lago disappears."""
    for role in dict.fromkeys(service.role for service in old.services if service.role):
        if not new.of_role(role):
            gone = old.of_role(role)[0]
            yield Violation(
                at=("services",),
                problem=f"{gone.name} ({role}) is gone",
                impact="its container goes on as an orphan with old settings, until it is removed",
                fix="keep it, or say in the change why it isn't needed",
            )


def _answered(model: Model) -> set[tuple[str, str]]:
    """Each public name with each entry point, "" for all of them, on which a router answers to it."""
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
    """No public name loses its router."""
    had, has = _answered(old), _answered(new)
    everywhere = {host for host, entrypoint in has if not entrypoint}
    for host, entrypoint in sorted(had - has):
        if unknown(host) or not entrypoint or host in everywhere:
            continue
        yield Violation(
            at=("services",),
            problem=f"no router answers to {host} on {entrypoint} any more",
            impact=f"404 at {host}",
            fix="keep the router's labels",
        )
