"""Runs a program on what anybody may have written: in a bare environment, within limits of time, memory and output."""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

# On a busy machine a file takes many times longer: what it may use up is processor time, in seconds.
PROCESSOR_SECONDS = 5
DEADLINE = 40.0
OUTPUT_CAP = 8_000_000
_ERRORS_CAP = 1_000_000
_CHUNK = 2**16
_LOOK_SECONDS = 0.2
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

    NotDone if it takes longer than PROCESSOR_SECONDS of work or DEADLINE seconds, or writes more than OUTPUT_CAP bytes; OSError if it can't be started.
    """
    end, pipe = time.monotonic() + DEADLINE, subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environment), cwd=folder
    ) as process:
        try:
            _limit(process.pid)
            STARTED.set()
            stdout, stderr = _talk(process, given, end)
            code = process.wait(max(0, end - time.monotonic()))
            if code == -signal.SIGKILL:
                raise NotDone(f"it was not done within {PROCESSOR_SECONDS} s of processor time")
            return Ended(code, stdout, stderr)
        except subprocess.TimeoutExpired:
            raise NotDone(f"it was not done within {DEADLINE:.0f} s") from None
        finally:
            process.kill()


def _talk(process: subprocess.Popen[bytes], given: bytes, end: float) -> tuple[bytes, bytes]:
    """Hand a process its input, and read its output and errors until it closes both or ends.

    TimeoutExpired where that is not before ``end``.
    """
    assert process.stdin and process.stdout and process.stderr
    output, errors, left = bytearray(), bytearray(), memoryview(given)
    unread: set[object] = {process.stdout, process.stderr}
    with selectors.DefaultSelector() as selector:
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ, output)
        selector.register(process.stderr, selectors.EVENT_READ, errors)
        while unread:
            if time.monotonic() >= end:
                raise subprocess.TimeoutExpired(process.args, DEADLINE)
            ready = selector.select(_LOOK_SECONDS)
            # What it has started may hold its pipes for longer; what it wrote itself is there once it has ended.
            if not ready and process.poll() is not None and not (ready := selector.select(0)):
                break
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    left = _write(key.fd, left)
                    if not left:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                elif not _read(key.fd, key.data):
                    selector.unregister(key.fileobj)
                    unread.remove(key.fileobj)
            if len(output) > OUTPUT_CAP:
                raise NotDone(f"its output has more than {OUTPUT_CAP // 1_000_000} MB")
            del errors[_ERRORS_CAP:]
    return bytes(output), bytes(errors)


def _write(stream: int, left: memoryview) -> memoryview:
    """Write as much as fits; what is left of it. Nothing is, where nobody reads."""
    try:
        return left[os.write(stream, left[:_CHUNK]) :]
    except BrokenPipeError:
        return left[:0]


def _read(stream: int, part: bytearray) -> bool:
    """Read what is there; whether there may be more."""
    chunk = os.read(stream, _CHUNK)
    part += chunk
    return bool(chunk)


def _limit(process: int) -> None:
    """Limit time and memory of a process that has just been started. Not every system can: then its deadline has to do."""
    if hasattr(resource, "prlimit"):
        with suppress(ProcessLookupError, PermissionError):
            resource.prlimit(process, resource.RLIMIT_DATA, (_MEMORY_CAP, _MEMORY_CAP))
            resource.prlimit(process, resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
