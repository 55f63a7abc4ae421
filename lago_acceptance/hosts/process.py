"""Runs a command as a process group, with a deadline."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import IO

from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
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
    """Run a command as a process group of its own, within its deadline, and collect its output."""
    from lago_acceptance.core.waiting import until

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
    assert process.stdout is not None
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
    return CommandResult(process.returncode, redact("".join(lines)), stopped)


def _collect(stream: IO[str], lines: list[str]) -> None:
    lines.extend(stream)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process group: SIGTERM, then SIGKILL."""
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
