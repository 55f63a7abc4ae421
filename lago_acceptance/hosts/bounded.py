"""Runs one local command as a process group, bounded in time and in what it may print."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import msgspec

from lago_acceptance.core import interrupts, report_files, strain
from lago_acceptance.core.verdicts import Unreachable

# Bytes of output, of errors, and of what is kept of a command whose output only shows why it failed.
FLOOD, ERRORS, KEPT = 64 * 2**20, 4 * 2**20, 4 * 2**20
LATE, FLOODED = "late", "flooded"
_LOOK_SECONDS = 0.5


class Ended(msgspec.Struct, frozen=True):
    """How a command ended; ``stopped`` is why it was ended early: LATE, FLOODED, or what ``give_up`` returned."""

    code: int
    output: bytes
    errors: bytes
    stopped: str | None


def run(
    command: Sequence[str],
    *,
    patience: Callable[[bytearray], float],
    given: bytes = b"",
    give_up: Callable[[], str | None] | None = None,
    directory: str | None = None,
    environment: Mapping[str, str] | None = None,
    merged: bool = False,
) -> Ended:
    """Run a command with ``given`` as its standard input.

    ``patience`` tells from the output so far how many seconds it may take. ``merged``: errors are part of the output, of
    which the last part is kept; otherwise a command that prints too much is ended. Unreachable if it can't be started.
    """
    parts = {"output": bytearray(), "errors": bytearray()}
    with (
        _running(lambda: _started(command, given, directory, environment, merged), gently=merged) as process,
        selectors.DefaultSelector() as selector,
    ):
        for stream, part in ((process.stdout, "output"), (process.stderr, "errors")):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, parts[part])
        stopped = _follow(process, selector, parts, patience, give_up, merged)
    return Ended(process.returncode, bytes(parts["output"]), bytes(parts["errors"]), stopped)


def too_much() -> str:
    """What a command that was ended as FLOODED has printed."""
    return f"more than {FLOOD // 2**20} MiB, or {ERRORS // 2**20} MiB of errors,"


@contextmanager
def _running(start: Callable[[], subprocess.Popen[bytes]], gently: bool) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has ended when the block ends, also where an interrupt comes while it starts."""
    interrupts.hold()
    try:
        process = start()
    except BaseException:
        interrupts.release()
        raise
    try:
        interrupts.release()
        yield process
    finally:
        if process.poll() is None:
            _end(process, gently)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _started(
    command: Sequence[str],
    given: bytes,
    directory: str | None,
    environment: Mapping[str, str] | None,
    merged: bool,
) -> subprocess.Popen[bytes]:
    with (
        report_files.writing("a temporary file", report_files.IN_TMPDIR),
        tempfile.TemporaryFile() as standard_input,
    ):
        standard_input.write(given)
        standard_input.seek(0)
        try:
            return subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=standard_input,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merged else subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            said = strain.sentence(error) or getattr(error, "strerror", None) or error
            raise Unreachable(f"{command[0]} can't be run on this machine: {said}") from error


def _follow(
    process: subprocess.Popen[bytes],
    selector: selectors.BaseSelector,
    parts: dict[str, bytearray],
    patience: Callable[[bytearray], float],
    give_up: Callable[[], str | None] | None,
    merged: bool,
) -> str | None:
    """Read until the command ends; why it must be ended early, or None."""
    started = looked = time.monotonic()
    while selector.get_map() or process.poll() is None:
        left = started + patience(parts["output"]) - time.monotonic()
        if left <= 0:
            return LATE
        if give_up and time.monotonic() - looked >= _LOOK_SECONDS:
            looked = time.monotonic()
            if reason := give_up():
                return reason
        if not selector.get_map():
            # It has closed its output and goes on.
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(left, _LOOK_SECONDS))
            continue
        for key, _ in selector.select(min(left, _LOOK_SECONDS)):
            chunk = os.read(key.fd, 2**18)
            if not chunk:
                selector.unregister(key.fileobj)
            key.data.extend(chunk)
        if merged:
            del parts["output"][:-KEPT]
        elif len(parts["output"]) > FLOOD or len(parts["errors"]) > ERRORS:
            return FLOODED
        # A shared connection keeps ssh's error stream open after the command has ended.
        if process.poll() is not None and not selector.select(0):
            return None
    return None


def _end(process: subprocess.Popen[bytes], gently: bool) -> None:
    """End a process group: SIGTERM if it may clean up, then SIGKILL."""
    for kind, patience in (((signal.SIGTERM, 2),) if gently else ()) + ((signal.SIGKILL, 5),):
        with suppress(subprocess.TimeoutExpired):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, kind)
            process.wait(patience)
            return
