"""Which compose files there are at the paths that were given."""

from __future__ import annotations

import re
from pathlib import Path

from lago_acceptance.core.verdicts import UsageError

COMPOSE_NAMES = re.compile(r"(^|[-._])compose([-._].*)?\.ya?ml$")


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """The compose files at some paths: a file itself, and every compose file below a folder.

    UsageError with one sentence for a path that does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                each
                for each in path.rglob("*.y*ml")
                if COMPOSE_NAMES.search(each.name) or each.parent == path
            )
            inside = [each for each in inside if each.is_file() and ".git" not in each.parts]
            if not inside:
                raise UsageError(f"{path} is a folder without a compose file")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path} does not exist")
    return list(dict.fromkeys(found))
