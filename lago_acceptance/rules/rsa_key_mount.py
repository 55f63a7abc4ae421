"""Rules about the mount of the RSA key, and what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.key_loading import (
    KEY,
    NATIVE_FILE,
    NATIVE_FROM,
    State,
    is_key_mount,
)
from lago_acceptance.lago.versions import before, version_of
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import DIES, FIX, readings


@rule(phase=1)
def rsa_volume_never_read(model: Model, settings: Settings) -> Iterator[Violation]:
    """A mounted key is turned into LAGO_RSA_PRIVATE_KEY by something inside the container.

    Option C of the plan mounts the PEM and sets LAGO_RSA_PRIVATE_KEY_PATH. No version of Lago reads that
    variable, and before v1.23.0 none reads a key file in production. From v1.23.0
    /app/config/keys/private.pem is read.
    """
    for service, reading in readings(model, settings):
        if reading.via == "initializer":
            continue
        native = not before(service, settings, NATIVE_FROM)
        idle = [
            mount
            for mount in service.mounts
            if is_key_mount(mount)
            and not any(path.startswith(mount.target) for path in reading.reads)
            and not (native and NATIVE_FILE.startswith(mount.target.rstrip("/")))
            and not (version_of(service, settings) is None and reading.state is State.UNKNOWN)
        ]
        named = [name for name in service.environment if name.endswith("_PATH") and "RSA" in name]
        if not idle and (not named or any(map(is_key_mount, service.mounts))):
            continue
        working = reading.state in (State.GOOD, State.UNKNOWN)
        what = f"the key is mounted at {idle[0].target}" if idle else f"{named[0]} names a file"
        also = f" and {named[0]} is a variable that no version of Lago reads" if idle and named else ""
        target = ("volumes",) if idle else ("environment", named[0])
        yield Violation(
            service=service,
            at=("services", service.name, *target),
            problem=f"{what}, but nothing turns that file into {KEY}{also}",
            impact="the mounted key is not the key that Lago uses"
            if working
            else f"option C as the plan writes it: Lago finds no key. {DIES}",
            fix=FIX + (f", or move the file to {NATIVE_FILE}" if native else ""),
            severity=Severity.WARNING if working else None,
        )


@rule(phase=1)
def rsa_file_variable_never_read(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago has no convention of *_FILE variables.

    Option A of the plan sets LAGO_RSA_PRIVATE_KEY_FILE=/run/secrets/... PostgreSQL's image reads such names,
    Lago's does not: the key stays unset.
    """
    for service, reading in readings(model, settings):
        for name in service.environment:
            if name.endswith("_FILE") and name.startswith(
                ("LAGO_", "SECRET_KEY", "DATABASE_", "REDIS_", "RSA_")
            ):
                used = reading.outcome is not None and any(name in path for path in reading.outcome.reads)
                expanded = any(
                    f"${name}" in word or f"${{{name}" in word
                    for word in (*service.entrypoint, *service.command)
                )
                if used or expanded:
                    continue
                base = name.removesuffix("_FILE")
                yield Violation(
                    service=service,
                    at=("services", service.name, "environment", name),
                    problem=f"{name} is set, but Lago reads no *_FILE variable",
                    impact=f"option A as the plan writes it: {base} stays unset. {DIES}"
                    if base == KEY
                    else f"{base} stays as it is without it; the file is never opened",
                    fix=FIX if base == KEY else f"set {base} itself",
                )


@rule(phase=1)
def rsa_initializer_patched_at_runtime(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago's own initializer is left as the image brings it.

    A command that rewrites config/initializers/rsa_keys.rb works until the next version of Lago, and what it
    loads can't be judged.
    """
    for service, reading in readings(model, settings):
        if reading.via == "initializer":
            mounted = service.mount_at("/app/config/initializers/rsa_keys.rb")
            yield Violation(
                service=service,
                at=(
                    "services",
                    service.name,
                    "volumes" if mounted else "command" if service.command else "entrypoint",
                ),
                problem="Lago's initializer rsa_keys.rb is replaced when the container starts",
                impact="a change of Lago breaks it unseen, and `docker exec` or another service runs "
                "another code",
                fix=FIX,
            )


@rule(phase=1, declared_only=True)
def rsa_mount_source_absent(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key file that is mounted exists where the compose file says.

    Docker makes a directory of a missing bind source (unless create_host_path is false), and the container
    finds a directory where it expects a PEM.
    """
    for service in model.of_role(*LAGO_RUBY):
        for number, mount in enumerate(service.mounts):
            absent = mount.source in model.files and model.files[mount.source] is None
            if (
                mount.kind in ("bind", "secret")
                and absent
                and is_key_mount(mount)
                and (mount.create_host_path and mount.kind == "bind")
            ):
                yield Violation(
                    service=service,
                    at=("services", service.name, "volumes", number),
                    problem=f"the key {basename(mount.source)} is mounted from a place where no such file is",
                    impact="Docker makes a directory there, and Lago's container reads a directory instead "
                    "of a key",
                    fix="put the key there before the deploy, and set bind.create_host_path to false, so "
                    "that a missing "
                    "file stops the start",
                    severity=Severity.WARNING,
                )
