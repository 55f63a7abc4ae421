"""What commands print, as text, and a command that changes this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lago_acceptance.core.secrets import redact
from lago_acceptance.hosts import bounded
from lago_acceptance.hosts.base import CommandResult, WriteCommand


def text_of(printed: bytes) -> str:
    """A command's output as text that encodes to the same bytes again."""
    return printed.decode("utf-8", "surrogateescape")


def last_words(errors: str) -> str:
    """The last line of a command's errors, without ssh's progress messages."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = [
        line
        for line in lines
        if not line.startswith(("debug1:", "OpenSSH_", "Authenticated to", "@@@", "Transferred", "Bytes"))
    ]
    return redact(said[-1])[:300] if said else "no error message"


def run_process(
    change: WriteCommand, environment: Mapping[str, str], give_up: Callable[[], str | None] | None
) -> CommandResult:
    """Run a command within its deadline, and keep the end of what it prints."""
    ended = bounded.run(
        change.arguments,
        patience=lambda output: change.deadline,
        give_up=give_up,
        directory=change.directory,
        environment=environment,
        merged=True,
    )
    late = f"{change.name} did not end within {change.deadline:.0f} s"
    stopped = late if ended.stopped == bounded.LATE else ended.stopped
    return CommandResult(ended.code, redact(ended.output.decode("utf-8", "replace")), stopped)
