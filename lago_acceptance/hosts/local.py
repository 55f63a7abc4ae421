"""This machine as a Docker host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand, WriteCommand
from lago_acceptance.hosts.process import last_words, run_process, text_of


class LocalHost(Host):
    """This machine."""

    name = "this machine"

    @property
    def compose_command(self) -> str:
        from lago_acceptance.core.resources import compose_binary

        return compose_binary()

    def read(self, reading: ReadCommand) -> str:
        # coreutils' timeout also ends what the script has started.
        result = subprocess.run(
            ["timeout", "-k", "1", f"{reading.deadline:g}", "sh", "-s"],
            input=reading.script().encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
        if result.returncode in (124, 137, -9):
            raise Unreachable(
                f"reading the {reading.name} of {self.name} took longer than {reading.deadline:.0f} s"
            )
        if result.returncode != 0:
            raise Unreachable(
                f"reading the {reading.name} of {self.name} failed with exit code {result.returncode}: "
                f"{last_words(text_of(result.stderr))}"
            )
        return text_of(result.stdout)

    def change(
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        if not isinstance(permit, Permit):
            raise TypeError(f"{change.name} changes {self.name} and needs a permit")
        return run_process(change, change.environment or os.environ, give_up)
