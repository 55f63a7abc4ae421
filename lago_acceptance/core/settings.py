"""The settings of one deployment: its names, hosts, networks and limits, from settings.toml; see there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from lago_acceptance.core.verdicts import UsageError


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the deployment is on its host, and its version of Lago."""

    directory: str
    compose_file: str
    env_file: str
    version: str


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of migrations of a version of Lago, and the latest of them."""

    migrations: int
    latest: str


class Hosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Public host names."""

    front: str
    api: str
    gateway: str = ""


class EdgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How Traefik is set up in production, and what is required of DNS and TLS.

    ``origin`` is the proxy's public address, if it is not that of the ssh host; ``system_resolver``: whether this
    machine's own resolvers are also queried for a live host's names.
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
    """Where the database dumps are on the host, as a shell pattern, and the maximum age of the newest, in hours."""

    files: str
    hours: float = 26


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of a host: its free disk space, and how long a job may wait. Sizes in MiB, times in seconds.

    ``log_mib`` is for the log files of one container, ``clock_drift`` for the host's clock against this machine's.
    """

    free_disk_mib: int
    queue_age: int
    log_mib: int = 512
    clock_drift: float = 5


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole settings file."""

    deployment: Deployment
    hosts: Hosts
    edge: EdgeSettings
    limits: Limits
    schema: dict[str, Schema] = {}
    backup: Backup | None = None


def load(path: Path) -> Settings:
    """The settings of a file; UsageError in one sentence if it can't be used."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except OSError as error:
        raise UsageError(
            f"the settings file {path} can't be read: {error.strerror}; choose another with --settings"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file {path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise UsageError(f"the settings file {path} has an invalid entry: {error}") from error
