"""One version of a deployment: its compose file, its variables and the files beside them, as an operator has them here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from lago_acceptance.core.resources import COMPOSE
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.verdicts import UsageError

# What is copied is a deployment's configuration, not its data.
LARGEST_FILE, MOST_FILES = 2**20, 200


class NewVersion(msgspec.Struct, frozen=True):
    """The files to deploy, by their path below the deployment's folder; secrets among them."""

    folder: Path
    files: dict[str, bytes]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, in order."""
        return tuple(sorted(self.files))


def of_folder(folder: Path | None, deployment: Deployment) -> NewVersion:
    """The version in a folder, by default the shipped one. UsageError where it has no compose file, or a file can't be copied."""
    place = (folder or COMPOSE).resolve()
    if not place.is_dir():
        raise UsageError(f"{place} is not a folder; give the one that holds {deployment.compose_file}")
    compose_file = place / deployment.compose_file
    if not compose_file.is_file():
        raise UsageError(
            f"{place} has no {deployment.compose_file}; give the folder that holds it, or name it in settings.toml "
            "(deployment.compose_file)"
        )
    names = [deployment.compose_file, deployment.env_file, *_named(compose_file)]
    paths = dict.fromkeys(path for name in names for path in _files_at(place, name))
    if len(paths) > MOST_FILES:
        raise UsageError(
            f"{compose_file} names {len(paths)} files of its folder; {MOST_FILES} are copied at most"
        )
    return NewVersion(place, {path: _content(place / path) for path in paths})


def _named(compose_file: Path) -> Iterator[str]:
    """Relative paths that a compose file names: mounted files, env_file, secrets and configs."""
    try:
        document = yaml.safe_load(compose_file.read_bytes()) or {}
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{compose_file} is not YAML: lago-gate {compose_file} says where") from error
    services = document.get("services") if isinstance(document, dict) else None
    for service in services.values() if isinstance(services, dict) else ():
        if isinstance(service, dict):
            yield from _of_service(service)
    for section in ("secrets", "configs"):
        entries = document.get(section) if isinstance(document, dict) else None
        for entry in entries.values() if isinstance(entries, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("file"), str):
                yield entry["file"]


def _of_service(service: dict[Any, Any]) -> Iterator[str]:
    env_files = service.get("env_file") or []
    for each in env_files if isinstance(env_files, list) else [env_files]:
        path = each.get("path") if isinstance(each, dict) else each
        if isinstance(path, str):
            yield path
    volumes = service.get("volumes") or []
    for mount in volumes if isinstance(volumes, list) else []:
        source = mount.get("source") if isinstance(mount, dict) else _short_source(str(mount))
        if isinstance(source, str):
            # ${LAGO_RSA_KEY_FILE:-./key.pem} names its default.
            _, default, rest = source.partition(":-")
            yield rest.rstrip("}") if source.startswith("${") and default else source


def _short_source(mount: str) -> str:
    """The path of a mount in one line, "" for a volume's name."""
    if mount.startswith("${"):
        return mount.partition("}")[0] + "}"
    return mount.partition(":")[0] if mount.startswith(".") else ""


def _files_at(place: Path, name: str) -> Iterator[str]:
    """The files of a folder at a path that a compose file names; none where it is elsewhere, or absent."""
    if name.startswith(("/", "~")) or "$" in name or not ("/" in name or (place / name).is_file()):
        return
    path = Path(os.path.normpath(place / name))
    if not path.is_relative_to(place) or path == place:
        return
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    yield from (str(each.relative_to(place)) for each in found if each.is_file())


def _content(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} is not a regular file, and so can't be deployed")
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(
                f"{path} is larger than 1 MiB: put data on the host yourself, and mount it from there"
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
