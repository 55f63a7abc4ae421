"""This machine as a Docker host."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand, WriteCommand
from lago_acceptance.hosts.process import run_process, text_of


class LocalHost(Host):
    """This machine."""

    name = "this machine"

    @cached_property
    def _backend(self):
        import testinfra

        return testinfra.get_host("local://")

    @property
    def compose_command(self) -> str:
        from lago_acceptance.core.resources import compose_binary

        return compose_binary()

    def read(self, reading: ReadCommand) -> str:
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
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        if not isinstance(permit, Permit):
            raise TypeError(f"{change.name} changes {self.name} and needs a permit")
        return run_process(change, {**os.environ, **change.environment}, give_up)
