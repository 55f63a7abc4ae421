"""Asks git about a repository that anybody may have written: nothing that its configuration names is run or reached."""

from __future__ import annotations

import os
from pathlib import Path

from lago_acceptance.composefile.bounded_process import NotDone, run

_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.pager="),
    *("-c", "protocol.allow=never"),
    # A folder of the repository may look like a repository without a work tree, with a configuration of its own.
    *("-c", "safe.bareRepository=explicit"),
)
# Objects that a partial clone lacks stay away.
_ENVIRONMENT = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
# HOME has the user's own configuration, which may name folders as safe.
_INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME")


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes | None:
    """What a git command writes in a folder, with ``given`` on its standard input; None if git is missing, or it fails."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        ended = run(["git", *_OPTIONS, *arguments], {**inherited, **_ENVIRONMENT}, given, folder)
    except (OSError, NotDone):
        return None
    return ended.stdout if ended.code == 0 else None
