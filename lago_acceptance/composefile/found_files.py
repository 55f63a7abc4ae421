"""Which compose files there are at the paths that were given."""

from __future__ import annotations

import os
import re
from pathlib import Path

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
