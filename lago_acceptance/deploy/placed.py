"""Where a deployment is on its host, and its settings: a settings file says it, else what runs there, else the folder to deploy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from lago_acceptance.composefile.found_files import COMPOSE_NAMES
from lago_acceptance.core.settings import Deployment, Settings, load
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.facts.collect import ONLY, observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host
from lago_acceptance.lago.derived import derived, given_for
from lago_acceptance.model.deployment import Model

# As Compose looks for them.
_COMPOSES_OWN = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_ENV_FILE = ".env"
_EXAMPLE = re.compile(r"example|sample|template|dist$|bak$|~$")
NEEDED = ("directory", "compose_file", "env_file")
_EXAMPLES = {"directory": "/srv/lago", "compose_file": "docker-compose.yml", "env_file": _ENV_FILE}


class Seen(NamedTuple):
    """A host: its facts; the settings that a file gives, and those that what runs there completes."""

    facts: Facts
    given: Settings
    settings: Settings


def seen(host: Host, settings_file: Path | None, project: str, *, upgrade: bool = False) -> Seen:
    """What runs on a host, and its settings. A file that nobody named doesn't count where it is of another deployment.

    For an ``upgrade`` with what that needs to know, in place of the billing signs. UsageError where the host has several Lagos,
    and nothing says which one is meant.
    """
    written = load(settings_file)
    facts = observe(
        host,
        project=project,
        wanted_directory=written.deployment.directory,
        backups=written.backup.files if written.backup else "",
        bounds=written.signs,
        upgrade=ONLY if upgrade else "",
    )
    _require_one(host, facts)
    model = facts.model()
    given, of_another = given_for(settings_file, model)
    if of_another:
        facts = msgspec.structs.replace(facts, dumps=())
    return Seen(facts, given, derived(model, given).settings)


def placed(
    host: Host,
    settings_file: Path | None,
    project: str,
    folder: Path | None = None,
    needed: Sequence[str] = NEEDED,
) -> Settings:
    """The settings with which a deployment's files are changed on a host, or brought back.

    ``folder`` is the one to deploy, None where none is. UsageError where nothing says what is ``needed`` of ``deployment``.
    """
    written = load(settings_file)
    if settings_file and all(getattr(written.deployment, each) for each in needed):
        return written
    facts = observe(host, project=project, wanted_directory=written.deployment.directory)
    _require_one(host, facts)
    model = facts.model()
    own = _given(settings_file, [model, *(_declared(folder, written) if folder else ())])
    # The version to deploy may be another one than that which runs.
    found = msgspec.structs.replace(derived(model, own).settings.deployment, version=own.deployment.version)
    found = _from_folder(found, folder) if folder else found
    require(found, host.name, needed)
    return msgspec.structs.replace(own, deployment=found)


def of_folder(settings_file: Path | None, folder: Path) -> Settings:
    """The settings of the files in a folder, as far as they are known without a host."""
    written = load(settings_file)
    own = written if settings_file else _given(None, _declared(folder, written))
    return msgspec.structs.replace(own, deployment=_from_folder(own.deployment, folder))


def _from_folder(deployment: Deployment, folder: Path) -> Deployment:
    """A deployment whose files are those of a folder, where nothing else says what they are called."""
    return msgspec.structs.replace(
        deployment,
        compose_file=deployment.compose_file or compose_file_in(folder),
        env_file=deployment.env_file or env_file_in(folder),
    )


def _given(settings_file: Path | None, models: Sequence[Model]) -> Settings:
    """What a settings file says: one that nobody named counts if it is of what runs, or of what is to be deployed."""
    found = [given_for(settings_file, model) for model in models]
    return next((settings for settings, of_another in found if not of_another), found[0][0])


def _declared(folder: Path, written: Settings) -> list[Model]:
    """The model of the compose file in a folder."""
    from lago_acceptance.composefile.loader import load as read

    file = folder / (written.deployment.compose_file or "…")
    if not file.is_file():
        file = folder / compose_file_in(folder)
    return [read(file, None).model]


def compose_file_in(folder: Path) -> str:
    """The name of the compose file in a folder: as Compose finds it, else the only one there. UsageError where that isn't clear."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the one that has the compose file to deploy")
    names = sorted(
        each.name for each in folder.iterdir() if each.is_file() and COMPOSE_NAMES.search(each.name)
    )
    if own := [each for each in _COMPOSES_OWN if each in names]:
        return own[0]
    if len(names) != 1:
        found = f"several compose files: {', '.join(names)}" if names else "no compose file"
        raise UsageError(
            f"{folder} has {found}; set deployment.compose_file in settings.toml (--settings FILE)"
        )
    return names[0]


def env_file_in(folder: Path) -> str:
    """The name of the file of variables in a folder: the only one there, else Compose's own."""
    names = [
        each.name
        for each in (folder.iterdir() if folder.is_dir() else ())
        if each.is_file() and each.name.startswith(_ENV_FILE) and not _EXAMPLE.search(each.name)
    ]
    return names[0] if len(names) == 1 else _ENV_FILE


def require(deployment: Deployment, host: str, needed: Sequence[str] = NEEDED) -> None:
    """UsageError where nothing says where a deployment lies on a host, or its files lie outside of its folder."""
    for field in needed:
        value = getattr(deployment, field)
        if not value:
            raise UsageError(
                f"nothing says deployment.{field}: no container of Lago on {host} has it in a label of Compose, and no settings file "
                f'names it; write it to settings.toml (--settings FILE): [deployment] {field} = "{_EXAMPLES[field]}"'
            )
        if field != "directory" and value.startswith("/"):
            raise UsageError(
                f"deployment.{field} is {value}, which is not in the deployment's folder {deployment.directory}: set "
                "deployment.directory in settings.toml (--settings FILE) to the folder that has all of its files"
            )


def _require_one(host: Host, facts: Facts) -> None:
    if not facts.project and len(facts.lagos) > 1:
        raise UsageError(
            f"{len(facts.lagos)} Lago stacks are on {host.name}: {', '.join(facts.lagos)}; say which one with --project NAME"
        )
