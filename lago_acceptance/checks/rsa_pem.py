"""Checks of the RSA key as a file: a PEM on the host that every process of Lago mounts read-only."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts, KeyFile
from lago_acceptance.lago.key_loading import NATIVE_FILE, NATIVE_FROM
from lago_acceptance.lago.versions import before
from lago_acceptance.model.deployment import Mount, Service

_STOPS = "migrate, api, worker and clock stop at start, and nothing is billed"
_MAKE = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out lago_rsa_private.pem"
# Lago starts with such a key, and can't sign.
_CAN_NOT_SIGN = ("rsa-pem-public", "rsa-pem-inconsistent", "rsa-pem-short")


class MountedKey(msgspec.Struct, frozen=True):
    """A key file that a service mounts."""

    service: Service
    mount: Mount
    file: KeyFile


def lago_services(facts: Facts) -> tuple[Service, ...]:
    """migrate, api, worker and clock: the containers, or where none was made the declaration. Blocked without any."""
    observed = facts.model().of_role(*LAGO_RUBY)
    found = observed or (facts.declaration.of_role(*LAGO_RUBY) if facts.declaration else ())
    if not found:
        raise Blocked(availability.why_down(facts, API), "there is no service of Lago that could mount a key")
    return found


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


def _keys(facts: Facts, settings: Settings) -> tuple[MountedKey, ...]:
    keys = mounted_keys(facts)
    if not keys and in_volumes(facts, settings):
        raise Unknown(
            "the key is in one of Docker's own volumes, and only files of the host are examined",
            why="the key is in one of Docker's own volumes",
            fix="mount the PEM from a file of the host",
        )
    if not keys:
        raise not_mounted(settings, "there is no mounted key to examine")
    return keys


def not_mounted(settings: Settings, missing: str) -> Blocked | Unknown:
    """Why nothing can be said of a mounted key where there is none."""
    if settings.deployment.mounted_key:
        return Blocked("rsa-key-not-mounted", missing)
    return Unknown(
        "the RSA key comes from a variable, so there is no file of it to examine",
        why="the RSA key comes from a variable",
    )


def unseen(why: str) -> Unknown:
    """What is said of a PEM whose content can't be read from here."""
    return Unknown(why, fix="install openssl there" if "openssl" in why else "log in as root")


def _files(facts: Facts, settings: Settings) -> tuple[KeyFile, ...]:
    """The mounted files, each once. Unknown where this user can't even see whether they are there."""
    files = {key.file.path: key.file for key in _keys(facts, settings)}.values()
    if hidden := next((file for file in files if file.kind == "hidden"), None):
        raise unseen(hidden.unseen)
    return tuple(files)


def _present(facts: Facts, settings: Settings) -> tuple[KeyFile, ...]:
    present = tuple(file for file in _files(facts, settings) if file.is_file)
    if not present:
        raise Blocked("rsa-pem-absent", "there is no PEM to examine")
    return present


@registry.check(phase=1, errors={"rsa-key-not-mounted": "Every process of Lago mounts the RSA key."})
def is_mounted_everywhere(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """migrate, api, worker and clock each mount a PEM, or a volume that a newer Lago reads its key from."""
    mounting = {key.service.role for key in mounted_keys(facts)}
    mounting |= {service.role for service in in_volumes(facts, settings)}
    for service in lago_services(facts):
        if service.role not in mounting:
            yield Finding(
                id="rsa-key-not-mounted",
                role=service.role,
                service=service.name,
                problem="no PEM is mounted into this service",
                impact="its key comes from somewhere else (a compose file, an env file, a shell) or is missing, and "
                "may differ from that of the other services",
                severity=wanted(settings),
                fix="mount lago_rsa_private.pem and rsa_key.rb read-only, as in compose/docker-compose.lago.yml"
                if settings.deployment.mounted_key
                else MOUNT_IT,
            )


MOUNT_IT = "mount the PEM read-only from a file of mode 600, and set LAGO_RSA_PRIVATE_KEY from it inside the container"
"""What to do with a key that may stay where it is."""


def wanted(settings: Settings) -> Severity | None:
    """How bad a key is that is no mounted file: a warning unless the settings want one."""
    return None if settings.deployment.mounted_key else Severity.WARNING


@registry.check(
    phase=1,
    errors={
        "rsa-pem-absent": "The mounted PEM exists on the host.",
        "rsa-pem-is-a-folder": "The mounted PEM is a file, not a folder.",
    },
)
def is_a_file(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The source of the mount is a file. Docker creates a folder for a source that is missing."""
    for file in _files(facts, settings):
        if file.is_file:
            continue
        folder = file.kind == "directory"
        yield Finding(
            id="rsa-pem-is-a-folder" if folder else "rsa-pem-absent",
            place=Place(file.path),
            problem="there is a folder instead of the PEM; Docker creates one for a mount whose source is missing"
            if folder
            else "the file does not exist",
            impact=_STOPS,
            fix=f"take the containers down, remove the folder if there is one, and put the key there: {_MAKE}",
        )


@registry.check(
    phase=1,
    errors={"rsa-pem-readable-by-others": "Only its owner can read the PEM."},
    warnings={"rsa-pem-foreign-owner": "The PEM belongs to root."},
)
def is_private(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The PEM has no permissions for group and others, and belongs to root."""
    present = _present(facts, settings)
    for file in present:
        if not file.mode.endswith("00"):
            yield Finding(
                id="rsa-pem-readable-by-others",
                place=Place(file.path),
                problem=f"its mode is {file.mode}",
                impact="other accounts of the host can sign as this Lago",
                fix=f"chmod 600 {file.path}",
            )
        if file.owner != "0":
            yield Finding(
                id="rsa-pem-foreign-owner",
                place=Place(file.path),
                problem=f"it belongs to the user {file.owner}, not to root",
                impact="that account can replace the key that signs webhooks",
                fix=f"chown root:root {file.path}",
            )


@registry.check(
    phase=1,
    errors={
        "rsa-pem-empty": "The PEM is not empty.",
        "rsa-pem-encrypted": "The PEM has no pass phrase.",
        "rsa-pem-public": "The PEM is a private key.",
        "rsa-pem-not-rsa": "The PEM is an RSA key.",
        "rsa-pem-damaged": "OpenSSL can load the PEM.",
        "rsa-pem-inconsistent": "The key in the PEM is consistent.",
        "rsa-pem-short": "The key has at least 2048 bits.",
    },
)
def is_a_key_that_lago_can_use(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The PEM is a complete private RSA key without a pass phrase, of at least 2048 bits."""
    present = _present(facts, settings)
    if hidden := next((file.unseen for file in present if file.unseen), ""):
        raise unseen(hidden)
    for file in present:
        if defect := _defect(file):
            id, problem = defect
            yield Finding(
                id=id,
                place=Place(file.path),
                problem=problem,
                impact="webhooks and tokens can't be signed" if id in _CAN_NOT_SIGN else _STOPS,
                fix=f"restore the whole private PEM from its backup, or generate a new one: {_MAKE}",
            )


def _defect(file: KeyFile) -> tuple[str, str] | None:
    if not file.size:
        return "rsa-pem-empty", "the file is empty"
    if "ENCRYPTED" in file.header:
        return "rsa-pem-encrypted", "the key is encrypted, and Lago has no pass phrase for it"
    if "PUBLIC" in file.header or (file.digest and not file.private):
        return "rsa-pem-public", "it is the public half: Lago starts with it and can't sign anything"
    if "EC " in file.header or (file.private and not file.rsa):
        return "rsa-pem-not-rsa", "it is not an RSA key"
    if not file.private:
        return "rsa-pem-damaged", "OpenSSL can't load it: it is cut off, retyped, or not a PEM at all"
    if not file.consistent:
        return "rsa-pem-inconsistent", "its numbers contradict each other (openssl rsa -check fails)"
    if file.bits < 2048:
        return "rsa-pem-short", f"it has {file.bits} bits; RS256 needs 2048"
    return None


@registry.check(
    phase=1,
    errors={
        "rsa-key-mount-writable": "The key is mounted read-only.",
        "rsa-key-differs": "All processes of Lago mount the same key.",
    },
)
def is_mounted_read_only_and_the_same(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Every process mounts the same PEM, and none of them can write to it.

    If the keys differ, the worker signs webhooks with a key whose public half the API does not serve.
    """
    used: dict[str, list[str]] = {}
    for key in _keys(facts, settings):
        used.setdefault(key.file.digest or key.file.path, []).append(key.service.name)
        if not key.mount.read_only:
            yield Finding(
                id="rsa-key-mount-writable",
                role=key.service.role,
                service=key.service.name,
                problem=f"{key.mount.target} is mounted writable",
                impact="a process in the container can replace the key of the whole deployment",
                fix="add :ro, or read_only: true",
            )
    if len(used) > 1:
        yield Finding(
            id="rsa-key-differs",
            problem="services mount different keys: "
            f"{' against '.join(', '.join(names) for names in used.values())}",
            impact="the worker signs webhooks with one key and the API serves the public half of another: receivers "
            "reject every webhook, while everything else looks healthy",
            fix=f"mount the same file into {', '.join(LAGO_RUBY)}",
        )
