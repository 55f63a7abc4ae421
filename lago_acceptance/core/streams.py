"""Standard streams that can't end a run: a closed one is opened on nothing, one that can't be written falls silent.

Where the terminal is gone, the log is on a full disk or ``head`` has seen enough, reports and exit code are still those
of the checks.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Why a stream fell silent, by its number.
_FAILED: dict[int, OSError] = {}


class _Quiet(io.FileIO):
    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError as error:
            _FAILED[self.fileno()] = error
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            return memoryview(data).nbytes


def settle() -> None:
    """Make this process's standard streams such ones. A character that one can't show is no error either."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free; else the next file that is opened would be taken for the stream.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = _settled(sys.stdout, 1), _settled(sys.stderr, 2)


def _settled(stream: TextIO | None, number: int) -> TextIO:
    if stream is not None and not (isinstance(stream, io.TextIOWrapper) and _is_file(stream, number)):
        # A test's or a caller's own.
        return stream
    if stream is not None:
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Quiet(number, "wb", closefd=False)),
        encoding=stream.encoding if stream else "utf-8",
        errors="replace",
        line_buffering=number == 2 or bool(stream and stream.line_buffering),
        write_through=bool(stream and getattr(stream, "write_through", False)),
    )


def _is_file(stream: io.TextIOWrapper, number: int) -> bool:
    try:
        return stream.fileno() == number and not isinstance(getattr(stream.buffer, "raw", None), _Quiet)
    except (OSError, ValueError):
        return False


def say_what_was_lost(program: str) -> None:
    """Write to standard error why standard output fell silent, if its reader did not just leave."""
    sys.stdout.flush()
    lost = _FAILED.pop(1, None)
    if lost and lost.errno not in (errno.EPIPE, errno.EBADF):
        print(
            f"{program}: not all of the output could be written ({lost.strerror}); the exit code counts all the same",
            file=sys.stderr,
        )
