"""A program on a host that takes lines and answers with lines, for as long as its channel is open."""

from __future__ import annotations

import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from lago_acceptance.core import interrupts, report_files
from lago_acceptance.core.verdicts import Unreachable

END_SECONDS = 5


class Channel:
    """Both ends of a running program. It reads the end of its input when the channel closes, or this process ends.

    ``broken`` makes a sentence of what the program, or ssh, printed as errors.
    """

    def __init__(self, command: Sequence[str], broken: Callable[[str], str]):
        self._broken = broken
        self._closed = False
        self._sending = threading.Lock()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with report_files.writing("a temporary file", report_files.IN_TMPDIR):
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        with interrupts.deferred():
            try:
                # In a session of its own: Ctrl-C is this side's to answer.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    start_new_session=True,
                )
            except OSError as error:
                raise Unreachable(f"{command[0]} can't be run on this machine: {error.strerror}") from error
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._lines.put(line.decode("utf-8", "surrogateescape").rstrip("\n"))
        self._lines.put(None)

    def send(self, line: str) -> None:
        """Send one line. Unreachable where the program has ended."""
        assert self._process.stdin is not None
        with self._sending:
            try:
                self._process.stdin.write(line.encode("utf-8", "surrogateescape") + b"\n")
                self._process.stdin.flush()
            except (OSError, ValueError) as error:
                raise Unreachable(self._said()) from error

    def receive(self, seconds: float) -> str:
        """The next line. Unreachable where none comes in time, or the program has ended."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise Unreachable(f"no answer came within {seconds:.0f} s") from None
        if line is None:
            # Whoever asks again gets the same answer.
            self._lines.put(None)
            raise Unreachable(self._said())
        return line

    def _said(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        try:
            self._errors.seek(0)
            errors = self._errors.read().decode("utf-8", "replace")
        except ValueError:
            errors = ""
        return self._broken(errors)

    def close(self) -> None:
        """Let the program read the end of its input, and stop listening to it. It may go on for a while."""
        if self._closed:
            return
        self._closed = True
        with self._sending, suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def ended(self, seconds: float) -> bool:
        """Close, and wait until the program has ended; whether it has."""
        self.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._errors.close()
        return True
