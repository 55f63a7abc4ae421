"""Runs a program on what anybody may have written: in a bare environment, within limits of time, memory and output."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

DEADLINE = 8.0
OUTPUT_CAP = 8_000_000
_ERRORS_CAP = 1_000_000
# Of what the program may write to. With its own code Compose stays below 256 MiB; for a usual file it needs 96 MiB.
_MEMORY_CAP = 192 << 20


# Set as soon as the first program runs: a time for other work.
STARTED = threading.Event()


class NotDone(Exception):
    """The program did not finish within its limits; says which."""


class Ended(msgspec.Struct, frozen=True):
    """How a program ended, and what it wrote; of its errors, the first megabyte."""

    code: int
    stdout: bytes
    stderr: bytes


def run(
    command: Sequence[str], environment: Mapping[str, str], given: bytes = b"", folder: Path | None = None
) -> Ended:
    """Run a program with this environment and nothing of this process' own; ``given`` is its standard input.

    NotDone if it takes longer than DEADLINE seconds, or writes more than OUTPUT_CAP bytes; OSError if it can't be started.
    """
    end, pipe = time.monotonic() + DEADLINE, subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environment), cwd=folder
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        stderr = process.stderr
        timer = threading.Timer(DEADLINE, process.kill)
        timer.daemon = True
        timer.start()
        try:
            _limit(process.pid)
            errors: list[bytes] = []
            # Daemons: the reader ends when the last process that holds the pipe has ended, which may be another one.
            writer = threading.Thread(target=_write, args=(process.stdin, given), daemon=True)
            reader = threading.Thread(target=lambda: errors.append(_start_of(stderr)), daemon=True)
            writer.start()
            reader.start()
            STARTED.set()
            stdout = process.stdout.read(OUTPUT_CAP + 1)
            if len(stdout) > OUTPUT_CAP:
                raise NotDone(f"its output has more than {OUTPUT_CAP // 1_000_000} MB")
            code = process.wait()
            if code < 0 and time.monotonic() >= end:
                raise NotDone(f"it was not done within {DEADLINE:.0f} s")
            reader.join(DEADLINE)
            return Ended(code, stdout, b"".join(errors))
        finally:
            timer.cancel()
            process.kill()


def _limit(process: int) -> None:
    """Limit the memory of a process that has just been started. Not every system can: then its deadline has to do."""
    if hasattr(resource, "prlimit"):
        with suppress(ProcessLookupError, PermissionError):
            resource.prlimit(process, resource.RLIMIT_DATA, (_MEMORY_CAP, _MEMORY_CAP))


def _write(stream: IO[bytes], given: bytes) -> None:
    with suppress(BrokenPipeError), stream:
        stream.write(given)


def _start_of(stream: IO[bytes]) -> bytes:
    """The first megabyte of a stream, which is read to its end."""
    start = stream.read(_ERRORS_CAP)
    while stream.read(_ERRORS_CAP):
        pass
    return start
