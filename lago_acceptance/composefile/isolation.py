"""Runs Compose without network and without credentials.

It sees neither the caller's environment nor its home folder, finds no other program, and gets a network namespace of its own
where the system allows that. Its remote loaders are off as well, for systems that don't.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from functools import cache

from lago_acceptance.composefile.bounded_process import Ended, run

# Debian's name for a folder that never exists.
_NOWHERE = "/nonexistent"
ENVIRONMENT = {
    "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false",
    "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false",
    "COMPOSE_MENU": "false",
    "COMPOSE_PROGRESS": "plain",
    "DOCKER_CONFIG": _NOWHERE,
    # Fewer runs of Compose's garbage collector, 55 instead of 72 ms of CPU for each config run, until memory is short.
    "GOGC": "400",
    "GOMAXPROCS": "4",
    "GOMEMLIMIT": "128MiB",
    "HOME": _NOWHERE,
}
_refused: list[bool] = []


def run_isolated(command: Sequence[str], variables: Mapping[str, str], given: bytes) -> Ended:
    """Run Compose with ``variables``; ``given`` is its standard input. NotDone where it goes beyond its limits."""
    environment = {**variables, **ENVIRONMENT}
    ended = run([*_namespace(), *command], environment, given)
    if ended.code and ended.stderr.startswith(b"unshare: "):
        _refused.append(True)
        return run(command, environment, given)
    return ended


def _namespace() -> tuple[str, ...]:
    """What starts a command in a network namespace of its own, in which nothing can be reached."""
    return () if _refused else _unshare()


@cache
def _unshare() -> tuple[str, ...]:
    program = shutil.which("unshare")
    # In a user namespace root could no longer read the files of other users.
    owner = () if os.geteuid() == 0 else ("--map-root-user",)
    return (program, *owner, "--net", "--") if program else ()
