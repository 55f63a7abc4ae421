"""This machine as a Docker host."""

from __future__ import annotations

import os
from collections.abc import Callable

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts import bounded
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand, WriteCommand
from lago_acceptance.hosts.channel import Channel
from lago_acceptance.hosts.process import last_words, run_process, text_of


class LocalHost(Host):
    """This machine."""

    name = "this machine"

    @property
    def compose_command(self) -> str:
        from lago_acceptance.core.resources import compose_binary

        return compose_binary()

    def read(self, reading: ReadCommand) -> str:
        script = reading.script().encode("utf-8", "surrogateescape")
        ended = bounded.run(["sh", "-s"], given=script, patience=lambda output: reading.deadline)
        if ended.stopped == bounded.LATE:
            raise Unreachable(
                f"reading the {reading.name} of {self.name} took longer than {reading.deadline:.0f} s"
            )
        if ended.stopped:
            raise Unreachable(f"{self.name} printed {bounded.too_much()} while its {reading.name} were read")
        if ended.code != 0:
            raise Unreachable(
                f"reading the {reading.name} of {self.name} failed with exit code {ended.code}: "
                f"{last_words(text_of(ended.errors))}"
            )
        return text_of(ended.output)

    def change(
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        if not isinstance(permit, Permit):
            raise TypeError(f"{change.name} changes {self.name} and needs a permit")
        return run_process(change, change.environment or os.environ, give_up)

    def open(self, name: str, arguments: tuple[str, ...], permit: Permit) -> Channel:
        if not isinstance(permit, Permit):
            raise TypeError(f"{name} changes {self.name} and needs a permit")
        return Channel(arguments, lambda errors: f"{name} ended on {self.name}: {last_words(errors)}")
