"""The one place that runs commands on a Docker host: Readings freely, Changes with a Permit.

A host is local or behind ssh; nothing else in the suite knows which.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import IO

import msgspec

from lago_acceptance.errors import Unreachable
from lago_acceptance.secret_values import redact


class Reading(msgspec.Struct, frozen=True):
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


class Change(msgspec.Struct, frozen=True):
    """A command that changes something. ``environment`` may hold secrets; ``arguments`` may not."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = {}
    directory: str | None = None
    deadline: float = 120.0


class Permit:
    """The right to change a target. Only the option that asks for a change makes one."""

    def __init__(self, option: str):
        self.option = option


class Outcome(msgspec.Struct, frozen=True):
    """How a command ended. ``stopped`` says why it was ended early, if it was."""

    code: int
    output: str
    stopped: str | None = None


def text_of(printed: bytes) -> str:
    """What a command has printed, as text that can be turned back. testinfra would ask the host for its encoding."""
    return printed.decode("utf-8", "surrogateescape")


class Host:
    """A machine on which Docker runs."""

    name: str
    compose_command: str

    def read(self, reading: Reading) -> str:
        """What a Reading prints. Unreachable when it can't be run or does not end in time."""
        raise NotImplementedError

    def change(
        self, change: Change, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> Outcome:
        """Run a Change; ``give_up`` is asked often, and its first answer ends the command early."""
        raise NotImplementedError


class LocalHost(Host):
    """This machine."""

    name = "this machine"

    @cached_property
    def _backend(self):
        import testinfra

        return testinfra.get_host("local://")

    @property
    def compose_command(self) -> str:
        from lago_acceptance.compose import binary

        return binary()

    def read(self, reading: Reading) -> str:
        # testinfra's local backend waits for ever; coreutils' timeout does not.
        result = self._backend.run("timeout -k 1 %s sh -c %s", str(reading.deadline), reading.script())
        if result.rc == 124 or result.rc == 137:
            raise Unreachable(
                f"reading the {reading.name} of {self.name} took longer than {reading.deadline:.0f} s"
            )
        if result.rc != 0:
            errors = text_of(result.stderr_bytes).strip()
            said = redact(errors.splitlines()[-1] if errors else "nothing was said")
            raise Unreachable(
                f"reading the {reading.name} of {self.name} failed with exit code {result.rc}: {said}"
            )
        return text_of(result.stdout_bytes)

    def change(
        self, change: Change, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> Outcome:
        if not isinstance(permit, Permit):
            raise TypeError(f"{change.name} changes {self.name} and needs a permit")
        return run_process(change, {**os.environ, **change.environment}, give_up)


def run_process(
    change: Change, environment: Mapping[str, str], give_up: Callable[[], str | None] | None
) -> Outcome:
    """Run a Change's arguments as a process group of its own and collect what it prints, within its
    deadline."""
    from lago_acceptance.waiting import until

    try:
        process = subprocess.Popen(
            change.arguments,
            cwd=change.directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise Unreachable(f"{change.arguments[0]} can't be run: {error.strerror}") from error
    lines: list[str] = []
    reader = threading.Thread(target=_collect, args=(process.stdout, lines), daemon=True)
    reader.start()
    stopped: str | None = None
    try:

        def ended() -> bool:
            nonlocal stopped
            if process.poll() is not None:
                return True
            stopped = give_up() if give_up else None
            return stopped is not None

        if not until(ended, change.deadline):
            stopped = f"{change.name} did not end within {change.deadline:.0f} s"
    finally:
        if process.poll() is None:
            _end(process)
        reader.join(2)
    return Outcome(process.returncode, redact("".join(lines)), stopped)


def _collect(stream: IO[str], lines: list[str]) -> None:
    lines.extend(stream)


def _end(process: subprocess.Popen) -> None:
    """End a process group: politely, then not."""
    for kind, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, kind)
            process.wait(patience)
            return
        except ProcessLookupError:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
