"""The one place that runs commands on a Docker host: Readings freely, Changes with a Permit.

A host is local or behind ssh; nothing else in the suite knows which.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

import msgspec

from lago_acceptance.core.permit import Permit


class ReadCommand(msgspec.Struct, frozen=True):
    """A named command that changes nothing: shell text, the variables that it reads, and its deadline in
    seconds."""

    name: str
    text: str
    variables: dict[str, str] = {}
    deadline: float = 30.0

    def script(self) -> str:
        """The shell text with its variables in front, quoted."""
        assignments = "".join(f"{name}={shlex.quote(value)}\n" for name, value in self.variables.items())
        return assignments + self.text


class WriteCommand(msgspec.Struct, frozen=True):
    """A command that changes something. ``environment`` may hold secrets; ``arguments`` may not."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = {}
    directory: str | None = None
    deadline: float = 120.0


class CommandResult(msgspec.Struct, frozen=True):
    """How a command ended. ``stopped`` says why it was ended early, if it was."""

    code: int
    output: str
    stopped: str | None = None


class Host:
    """A machine on which Docker runs."""

    name: str
    compose_command: str

    def read(self, reading: ReadCommand) -> str:
        """What a Reading prints. Unreachable when it can't be run or does not end in time."""
        raise NotImplementedError

    def change(
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        """Run a Change; ``give_up`` is asked often, and its first answer ends the command early."""
        raise NotImplementedError
