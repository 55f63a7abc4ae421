"""Rules about a change: the compose file that is deployed now, compared with the one to be deployed next.

Each rule yields Violations about the new version. A value that is only set at deploy time is compared by the
variable that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lago_acceptance.core.registry import Severity
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
    """The services of a role before and after: matched by name, or because there is only one on each side."""
    for role in roles:
        before = {service.name: service for service in old.of_role(role)}
        after = new.of_role(role)
        for service in after:
            if service.name in before:
                yield before[service.name], service
            elif len(before) == len(after) == 1:
                yield next(iter(before.values())), service


def _comparable(old: Model, new: Model) -> Callable[[str], str]:
    """A function that strips what depends on the compose file's folder from names of files and volumes.

    The two versions are usually read from different folders: paths below the folder become relative, and a
    project name that Compose derives from the folder is removed from volume names.
    """
    sources = [model.source for model in (old, new) if model.source]
    folders = [f"{Path(each.path).resolve().parent}/" for each in sources]
    unnamed = not any("name" in each.document for each in sources)
    prefixes = [*folders, *(f"{model.project}_" for model in (old, new) if unnamed and model.project)]

    def comparable(name: str) -> str:
        return next((name[len(prefix) :] for prefix in prefixes if name.startswith(prefix)), name)

    return comparable


def _volume(model: Model, service: Service, role: str) -> tuple[str, str] | None:
    """The volume that holds a service's data, and the folder inside of it."""
    directory = (service.value("PGDATA") or default_directory(service)) if role == DB else _DATA[role]
    mount = service.mount_at(directory.rstrip("/"))
    if mount is None or not mount.source:
        return None
    name = next((volume.name for volume in model.volumes if volume.key == mount.source), mount.source)
    return name, directory.rstrip("/")[len(mount.target.rstrip("/")) :].strip("/")


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
    comparable = _comparable(old, new)
    for role in (DB, *_DATA):
        for before, after in _pairs(old, new, role):
            had, has = _volume(old, before, role), _volume(new, after, role)
            alike = had and has and had[1] == has[1] and comparable(had[0]) == comparable(has[0])
            if had and not alike:
                now = f"now it is in {_volume_and_folder(has)}" if has else "now it is on no volume"
                yield Violation(
                    service=after,
                    at=part(after, "volumes"),
                    problem=f"its data was in {_volume_and_folder(had)}; {now}",
                    impact="the service comes up healthy and empty, without customers, invoices and API keys",
                    fix=f"keep the volume (name: {had[0]}), or copy the data before you deploy",
                )


def _changed(
    before: Service, after: Service, name: str, old: Model, new: Model
) -> tuple[str, Severity | None] | None:
    """How a variable changed, and how severe that is; None where it is the same, or only the deploy can tell.

    A literal that becomes a variable of the deploy may keep its value: a warning. If the literal was that
    variable's default, nothing is reported, because without the variable Compose now stops.
    """
    was, is_ = before.value(name), after.value(name)
    if not was or was == is_:
        return None
    if not is_:
        return None if at_deploy(new, after, name) else ("is no longer set", None)
    if unknown(is_) and not unknown(was):
        text = old.source.text(before.name, name) if old.source else None
        default = any(given_later(use.name) in is_ for use in nested(text or ""))
        return None if default else ("was in the file; now it is set at deploy time", Severity.WARNING)
    return "has changed", None


def _value_changed(
    old: Model, new: Model, names: tuple[str, ...], impact: str, fix: str
) -> Iterator[Violation]:
    before, after = reference(old), reference(new)
    for name in names:
        if before and after and (change := _changed(before, after, name, old, new)):
            yield Violation(
                service=after,
                at=variable(after, name),
                severity=change[1],
                problem=f"{name} {change[0]}",
                impact=impact,
                fix=fix,
            )


@rule(phase=0, needs_base=True)
def secret_key_base_changed(old: Model, new: Model, settings: Settings) -> Iterable[Violation]:
    """SECRET_KEY_BASE keeps its value.

    Lago signs every session and every customer portal link with it.
    """
    return _value_changed(
        old,
        new,
        ("SECRET_KEY_BASE",),
        "every user is logged out, and links to the customer portal stop working",
        "keep the old SECRET_KEY_BASE",
    )


@rule(phase=0, needs_base=True)
def encryption_key_changed(old: Model, new: Model, settings: Settings) -> Iterable[Violation]:
    """The encryption keys keep their values.

    What was encrypted with the old keys can't be decrypted with new ones.
    """
    names = (
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    return _value_changed(
        old,
        new,
        names,
        "the stored credentials of payment providers can no longer be decrypted",
        "keep the old encryption keys",
    )


@rule(phase=0, needs_base=True)
def rsa_key_changed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The RSA key stays the same.

    Webhook receivers verify signatures with the public half of the old key.
    """
    before, after = reference(old), reference(new)
    if before is None or after is None:
        return
    had, has = key_reading(before, old, settings), key_reading(after, new, settings)
    comparable = _comparable(old, new)
    kinds = [reading.identity.partition(" ") for reading in (had, has)]
    files = [bool(blank) for _, blank, _ in kinds]
    names = [comparable(name) if blank else digest for digest, blank, name in kinds]
    differs = all(names) and files[0] == files[1] and names[0] != names[1]
    by_variable = has.via == had.via == "variable" and after.value(KEY)
    change = _changed(before, after, KEY, old, new) if by_variable and not all(names) else None
    if differs or change:
        yield Violation(
            service=after,
            at=has.at,
            severity=change[1] if change and not differs else None,
            problem=f"{KEY} {change[0]}" if change and not differs else "Lago's RSA key has changed",
            impact="webhook receivers reject signatures made with the new key",
            fix="keep the old key, or send every webhook receiver the new public key before you deploy",
        )


def _is_own_database(model: Model, host: str) -> bool:
    return any(service.role == DB for service in named(model, host))


@rule(phase=0, needs_base=True)
def db_password_changed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The database keeps its password, user and name.

    PostgreSQL reads POSTGRES_PASSWORD, POSTGRES_USER and POSTGRES_DB only when it initializes an empty
    volume. On an existing volume they have to be changed inside the database as well.
    """
    for before, after in _pairs(old, new, DB):
        for name in ("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"):
            if change := _changed(before, after, name, old, new):
                yield Violation(
                    service=after,
                    at=variable(after, name),
                    severity=change[1],
                    problem=f"{name} {change[0]}",
                    impact="PostgreSQL keeps the old value on its existing volume: password "
                    "authentication failed",
                    fix="keep the old value, or change it in the database first (ALTER USER lago PASSWORD "
                    "...)",
                )
    for before, after in _pairs(old, new, API):
        was, is_ = service_url(before.value("DATABASE_URL")), service_url(after.value("DATABASE_URL"))
        if was is None or is_ is None or (was.host, was.database) == (is_.host, is_.database):
            continue
        own = _is_own_database(old, was.host) and _is_own_database(new, is_.host)
        if not own or was.database != is_.database:
            yield Violation(
                service=after,
                at=variable(after, "DATABASE_URL"),
                problem=f"Lago's database was {was.database} on {was.host}, now it is {is_.database} on "
                f"{is_.host}",
                impact="Lago comes up healthy on another, possibly empty, database",
                fix="dump and restore the data before you deploy, or keep the old DATABASE_URL",
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

    Migrations are not undone, and PostgreSQL can't start on the data files of another major version.
    """
    for before, after in _pairs(old, new, *LAGO_RUBY, FRONT, DB, REDIS):
        had, has = _version(before, settings), _version(after, settings)
        shared = min(len(had or ()), len(has or ()))
        if had and has and has[:shared] < had[:shared]:
            yield Violation(
                service=after,
                at=part(after, "image"),
                problem=f"its image goes back from {before.image.rpartition(':')[2]} to "
                f"{after.image.rpartition(':')[2]}",
                impact="old code on a newer schema or newer data files: it answers 500 or doesn't start",
                fix="deploy the same or a newer version, or restore a backup that was taken with the old one",
            )
        elif before.role == DB and had and has and has[0] != had[0]:
            yield Violation(
                service=after,
                at=part(after, "image"),
                problem=f"PostgreSQL goes from {had[0]} to {has[0]} on the same volume",
                impact="PostgreSQL doesn't start: database files are incompatible with server",
                fix="run pg_upgrade, or dump and restore, before you deploy",
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
