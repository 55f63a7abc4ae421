"""What can be run on a Docker host: commands that read, freely, and commands that write, with a permit.

A host is local or behind ssh; nothing else in the suite knows which.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

import msgspec

from lago_acceptance.core.permit import Permit


class ReadCommand(msgspec.Struct, frozen=True):
    """A named shell script that changes nothing, the variables that it reads, and its deadline in seconds."""

    name: str
    text: str
    variables: dict[str, str] = {}
    deadline: float = 30.0

    def script(self) -> str:
        """What goes to the standard input of ``sh -s``: the variables, quoted, and the text.

        The shell has read all of it before it runs any: nothing that the script starts can take the rest for its own
        input, and nothing runs of a script that did not arrive whole.
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
        """The same for the standard input of ``sh -s``: the arguments of a process can be read by everybody on its
        machine, and the environment may hold secrets.
        """
        exports = _assignments(self.environment, "export ")
        return _whole(f"{exports}exec {shlex.join(self.arguments)} 2>&1")


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
        """What a script prints. Unreachable when it can't be run or does not end in time."""
        raise NotImplementedError

    def change(
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        """Run a command that writes; ``give_up`` is called often, and its first answer ends the command early."""
        raise NotImplementedError


def _assignments(variables: dict[str, str], before: str = "") -> str:
    return "".join(f"{before}{name}={shlex.quote(value)}\n" for name, value in variables.items())


def _whole(script: str) -> str:
    return f"{{\n{script}\n}} </dev/null\n"
