"""Rules about a mounted RSA key, and what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.key_loading import INITIALIZER, KEY, NATIVE_FILE, NATIVE_FROM, is_key_mount
from lago_acceptance.lago.key_parsing import State
from lago_acceptance.lago.startup import elsewhere
from lago_acceptance.lago.versions import before, version_of
from lago_acceptance.model.deployer import deployer
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import KEY_ERROR_AT_BOOT, KEY_FIX, readings, waits_until


@rule(phase=1, severity=Severity.WARNING, declared_only=True)
def rsa_key_generated_too_late(model: Model, settings: Settings) -> Iterator[Violation]:
    """What reads a key that another service generates starts after that one has ended.

    ./scripts/generate.rsa.sh writes the key into a volume. Without a key Lago doesn't boot, and a migration that failed is
    not repeated.
    """
    if not deployer(model).orders:
        return
    makers = [
        each for each in model.services if "generate.rsa.sh" in each.full_command and model.starts(each)
    ]
    early = [
        (service, maker)
        for service, reading in readings(model, settings)
        for maker in makers
        if reading.via == "file" and not service.value(KEY)
        if _share(service, maker) and not waits_until(model, service, maker)
    ]
    for service, maker in early:
        # What waits for another of them waits for the key with it.
        if any(waits_until(model, service, other) for other, _ in early if other is not service):
            continue
        yield Violation(
            service=service,
            at=("services", service.name, "depends_on"),
            problem=f"it reads the key that {maker.name} generates, but doesn't wait until {maker.name} has ended",
            impact="on a first start there may be no key yet: Lago exits at boot, and what waits for it never starts",
            fix=f"add depends_on: {{{maker.name}: {{condition: service_completed_successfully}}}}",
        )


def _share(service: Service, maker: Service) -> bool:
    """Whether a service has the folder of its key from a volume of another service."""
    mount = service.mount_at(NATIVE_FILE)
    return mount is not None and any(each.source == mount.source for each in maker.mounts)


@rule(phase=1, follows=("rsa-file-variable-never-read",))
def rsa_volume_never_read(model: Model, settings: Settings) -> Iterator[Violation]:
    """Something in the container turns a mounted key into LAGO_RSA_PRIVATE_KEY.

    Option C of the deployment plan (docs/plan-corrections.md) mounts the PEM and sets LAGO_RSA_PRIVATE_KEY_PATH, which no version of Lago reads.
    Before v1.23.0 Lago reads no key file in production either; from v1.23.0 on it reads
    /app/config/keys/private.pem.
    """
    for service, reading in readings(model, settings):
        if reading.via == "initializer":
            continue
        native = not before(service, settings, NATIVE_FROM)
        unread = [
            mount
            for mount in service.mounts
            if is_key_mount(mount)
            and not any(path.startswith(mount.target) for path in reading.reads)
            and not (native and NATIVE_FILE.startswith(mount.target.rstrip("/")))
            and not (version_of(service, settings) is None and reading.state is State.UNKNOWN)
        ]
        path_variables = [name for name in service.environment if name.endswith("_PATH") and "RSA" in name]
        if not unread and (not path_variables or any(map(is_key_mount, service.mounts))):
            continue
        working = reading.state in (State.GOOD, State.UNKNOWN)
        key = f"the key is mounted at {unread[0].target}" if unread else f"{path_variables[0]} names a "
        "key file"
        also = f", and no version of Lago reads {path_variables[0]}" if unread and path_variables else ""
        target = ("volumes",) if unread else ("environment", path_variables[0])
        yield Violation(
            service=service,
            at=("services", service.name, *target),
            problem=f"{key}, but nothing turns that file into {KEY}{also}",
            impact="Lago uses another key than the mounted one"
            if working
            else f"Lago finds no key. {KEY_ERROR_AT_BOOT}",
            fix=KEY_FIX + (f", or move the file to {NATIVE_FILE}" if native else ""),
            severity=Severity.WARNING if working else None,
        )


@rule(phase=1)
def rsa_file_variable_never_read(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago's services have no *_FILE variables.

    Option A of the deployment plan (docs/plan-corrections.md) sets LAGO_RSA_PRIVATE_KEY_FILE=/run/secrets/... PostgreSQL's image reads such
    variables, Lago's doesn't: the key stays unset.
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
                unseen = reading.outcome is not None and elsewhere(service, model, reading.outcome)
                if used or expanded or unseen:
                    continue
                base = name.removesuffix("_FILE")
                yield Violation(
                    service=service,
                    at=("services", service.name, "environment", name),
                    problem=f"{name} is set, but Lago reads no *_FILE variable",
                    impact=f"{base} stays unset. {KEY_ERROR_AT_BOOT}"
                    if base == KEY
                    else f"the file is never opened, and {base} stays unset or at its default",
                    fix=KEY_FIX if base == KEY else f"set {base} itself instead",
                )


@rule(phase=1)
def rsa_initializer_patched_at_runtime(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago's initializer rsa_keys.rb is the one from the image.

    Rewriting config/initializers/rsa_keys.rb works until the next version of Lago changes it, and the key
    that it loads can't be checked.
    """
    for service, reading in readings(model, settings):
        if reading.via == "initializer":
            mounted = service.mount_at(INITIALIZER)
            yield Violation(
                service=service,
                at=(
                    "services",
                    service.name,
                    "volumes" if mounted else "command" if service.command else "entrypoint",
                ),
                problem="Lago's initializer rsa_keys.rb is replaced when the container starts",
                impact="an update of Lago breaks it silently, and `docker exec` or other services run the "
                "original code",
                fix=KEY_FIX,
            )


@rule(phase=1, declared_only=True)
def rsa_mount_source_absent(model: Model, settings: Settings) -> Iterator[Violation]:
    """The mounted key file exists on the host.

    Docker creates a directory for a missing bind source (unless create_host_path is false), and the container
    finds a directory instead of the PEM.
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
                    problem=f"the key {basename(mount.source)} is mounted, but the file doesn't exist",
                    impact="Docker creates a directory there, and Lago finds a directory instead of a key",
                    fix="copy the key there before you deploy, and set bind.create_host_path: false so "
                    "that a missing file stops the start",
                    severity=Severity.WARNING,
                )
