"""Which compose files there are at the paths that were given."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lago_acceptance.composefile.bounded_files import project_of, unread_because
from lago_acceptance.composefile.env_files import environment_text, written_variables
from lago_acceptance.composefile.yaml_lines import Unusable
from lago_acceptance.core.user_files import unusable
from lago_acceptance.core.verdicts import UsageError

COMPOSE_NAMES = re.compile(r"(^|[-._])compose([-._].*)?\.ya?ml$")
_SERVICES = re.compile(rb"""^(?:\{\s*)?["']?services["']?\s*:""", re.MULTILINE)


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """The compose files at some paths: a file itself, and below a folder every file with a compose file's name; right
    inside it a YAML file of any name that has services, too.

    UsageError with one sentence for a path that does not exist.
    """
    found: list[Path] = []
    for path in paths:
        # Path's own methods raise where a name is too long.
        if os.path.isdir(path):
            inside = sorted(
                each
                for each in path.rglob("*.y*ml")
                if each.is_file() and ".git" not in each.parts
                if COMPOSE_NAMES.search(each.name) or (each.parent == path and _has_services(each))
            )
            if not inside:
                raise UsageError(f"{path} is a folder without a compose file")
            found += inside
        elif os.path.exists(path):
            found.append(path)
        else:
            raise UsageError(f"{path} {unusable(path) or 'does not exist'}")
    return list(dict.fromkeys(found))


def _has_services(path: Path) -> bool:
    """Whether a file's text looks like a compose file's; one that can't be read may be one."""
    try:
        return bool(_SERVICES.search(path.read_bytes()))
    except OSError:
        return True


def projects_in(paths: tuple[Path, ...], overlays: tuple[Path, ...] = ()) -> dict[Path, tuple[Path, ...]]:
    """The compose files to judge, each with the files that are laid over it: ``overlays``, or those in COMPOSE_FILE of the
    .env beside it.

    UsageError for a path that does not exist, and where it isn't one file that ``overlays`` belong to.
    """
    files = files_in(paths)
    if not overlays:
        return {named[0]: tuple(named[1:]) for named in map(_as_deployed, files)}
    if len(files) != 1:
        raise UsageError(f"--overlay is laid over one compose file, and {len(files)} are given")
    for each in overlays:
        if not each.is_file():
            raise UsageError(f"--overlay {each} {unusable(each) or 'is not a file'}")
    return {files[0]: overlays}


def _as_deployed(path: Path) -> list[Path]:
    """A file with those that COMPOSE_FILE names beside it, if it is one of them: the first, then what is laid over it."""
    folder = path.parent
    try:
        beside = folder / ".env"
        text = "" if unread_because(beside, project_of(folder)) else environment_text(beside)
    except Unusable:
        return [path]
    given = {name: value for name, value in written_variables(text) if name.startswith("COMPOSE_")}
    listed = given.get("COMPOSE_FILE", "").split(given.get("COMPOSE_PATH_SEPARATOR") or ":")
    files = [folder / each.strip() for each in listed if each.strip()]
    own = os.path.realpath(path)
    usable = all(not unread_because(each, project_of(folder)) and each.is_file() for each in files)
    if len(files) > 1 and usable and own in map(os.path.realpath, files):
        return [path if os.path.realpath(each) == own else each for each in files]
    return [path]
