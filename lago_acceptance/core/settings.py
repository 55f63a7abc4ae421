"""What is of one deployment: its names, hosts, networks and limits. Read from settings.toml; see there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from lago_acceptance.core.verdicts import UsageError


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the deployment lies on its host, and which Lago it is."""

    directory: str
    compose_file: str
    env_file: str
    version: str


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many migrations a version of Lago has, and the latest of them."""

    migrations: int
    latest: str


class Hosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Public names."""

    front: str
    api: str
    gateway: str = ""


class EdgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How Traefik is set up in production, and what TLS must be.

    ``origin`` is the proxy's public address where it is not that of the ssh host; ``system_resolver``: whether this
    machine's own resolvers are asked about a live host's names, too.
    """

    http_entrypoint: str
    https_entrypoint: str
    resolver: str
    proxy_network: str
    gateway_network: str
    resolvers: tuple[str, ...]
    certificate_warning_days: int
    certificate_error_days: int
    closed_ports: tuple[int, ...]
    system_resolver: bool = True
    origin: str = ""


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where dumps of the database lie on the host: a file pattern of its shell, and how old the last may be, in hours."""

    files: str
    hours: float = 26


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a host must have left, and how long a job may wait. Sizes in MiB, times in seconds.

    ``log_mib`` is for the log files of one container, ``clock_drift`` for the host's clock against this machine's.
    """

    free_disk_mib: int
    queue_age: int
    log_mib: int = 512
    clock_drift: float = 5


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    deployment: Deployment
    hosts: Hosts
    edge: EdgeSettings
    limits: Limits
    schema: dict[str, Schema] = {}
    backup: Backup | None = None


def load(path: Path) -> Settings:
    """The settings of a file; UsageError with one sentence where it can't be used."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except OSError as error:
        raise UsageError(
            f"the settings file {path} can't be read: {error.strerror}; give another one by --settings"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file {path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise UsageError(f"the settings file {path} has an entry that can't be used: {error}") from error
