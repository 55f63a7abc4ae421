"""Commands on a Docker host. Reading needs nothing; writing needs a permit.

A host is this machine or is reached over ssh; only this room knows which.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

import msgspec

from lago_acceptance.core.permit import Permit
from lago_acceptance.hosts.channel import Channel


class ReadCommand(msgspec.Struct, frozen=True):
    """A named shell script that changes nothing, the variables that it reads, and its deadline in seconds."""

    name: str
    text: str
    variables: dict[str, str] = {}
    deadline: float = 30.0

    def script(self) -> str:
        """The input of ``sh -s``: the variables, quoted, and the text.

        The shell reads all of it before it runs any of it. So no program in the script can consume the rest as its
        own input, and a script that arrives incomplete does not run at all.
        """
        return _whole(_assignments(self.variables) + self.text)


class WriteCommand(msgspec.Struct, frozen=True):
    """A named command that changes something. ``environment`` may hold secrets; ``arguments`` may not."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = {}
    directory: str | None = None
    deadline: float = 120.0

    def script(self) -> str:
        """The input of ``sh -s``. The environment may hold secrets, and every user of the machine can read the
        arguments of a process.
        """
        exports = _assignments(self.environment, "export ")
        return _whole(f"{exports}exec {shlex.join(self.arguments)} 2>&1")


class CommandResult(msgspec.Struct, frozen=True):
    """How a command ended. ``stopped`` is why it was ended early, None if it was not."""

    code: int
    output: str
    stopped: str | None = None


class Host:
    """A machine on which Docker runs."""

    name: str

    @property
    def compose_command(self) -> str:
        """The Compose that the host's scripts run: a path, or "" for the host's own."""
        return ""

    def read(self, reading: ReadCommand) -> str:
        """The output of a script. Unreachable if it can't be run or does not end in time."""
        raise NotImplementedError

    def change(
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        """Run a command that writes; ``give_up`` is called often; the first reason that it returns ends the command."""
        raise NotImplementedError

    def open(self, name: str, arguments: tuple[str, ...], permit: Permit) -> Channel:
        """Start a program that changes the host and is spoken to while it runs. ``arguments`` hold no secret."""
        raise NotImplementedError


def _assignments(variables: dict[str, str], before: str = "") -> str:
    return "".join(f"{before}{name}={shlex.quote(value)}\n" for name, value in variables.items())


def _whole(script: str) -> str:
    return f"{{\n{script}\n}} </dev/null\n"
