"""Runs the shipped provision.sh: it makes what a deployment needs beside its compose file, and keeps what is in use."""

from __future__ import annotations

from collections.abc import Sequence

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import COMPOSE
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import CommandResult, WriteCommand
from lago_acceptance.hosts.local import LocalHost

# Docker is asked a few times, 20 seconds each at most.
DEADLINE_SECONDS = 180.0


def provision(arguments: Sequence[str], permit: Permit) -> CommandResult:
    """Call provision.sh on this machine with its own options and a folder.

    The output is its sentences, which hold no secret; the code is its exit code: 0, 1 if the key or a secret can't be
    settled, 4 for wrong options or files, 6 if a program is missing or Docker does not answer. Unreachable if it does
    not end in time.
    """
    change = WriteCommand(
        "provision.sh", ("sh", str(COMPOSE / "provision.sh"), *arguments), deadline=DEADLINE_SECONDS
    )
    ended = LocalHost().change(change, permit)
    if ended.stopped:
        raise Unreachable(f"{ended.stopped}; run it again, or directly: sh {COMPOSE / 'provision.sh'} FOLDER")
    return ended
