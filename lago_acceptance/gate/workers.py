"""Judges each compose file in a process of its own: none can keep the gate from ending, or take its memory.

A process is forked and not started anew: for one file that would double the gate's time.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec

# On a busy machine a file takes many times longer: what it may use up is processor time, in seconds.
PROCESSOR_SECONDS = 5
DEADLINE = 45.0
# What a process may take beside what it inherits; for lago-gate, which has 30 MiB, it stays below 256 MiB with all code.
_MEMORY_CAP = 160 << 20
# One more than processors: each waits for Compose from time to time.
_AT_ONCE = (os.cpu_count() or 2) + 1
TOO_LONG = f"it could not be judged within {DEADLINE:.0f} s"
TOO_MUCH_WORK = f"it could not be judged within {PROCESSOR_SECONDS} s of processor time"


class Died(Exception):
    """A file's process ended without an answer; says why, as a sentence about the file."""


class Worker(msgspec.Struct):
    """A running process: the file that it judges, when it must be done, and what it has answered so far."""

    path: Path
    process: int
    end: float
    answer: bytearray

    def kill(self) -> int:
        """End it with all that it started, if it runs; its wait status."""
        with suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        return os.waitpid(self.process, 0)[1]


class Workers:
    """The processes for some files, a few at a time; the first ones start at once."""

    def __init__(self, paths: Sequence[Path], judge: Callable[[Path], bytes]):
        self._judge = judge
        self._waiting = list(paths)
        self._running = selectors.DefaultSelector()
        self._answers: dict[Path, bytes | Died] = {}
        self._paths = tuple(paths)
        try:
            self._start()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End all processes."""
        self._waiting.clear()
        for key in list(self._running.get_map().values()):
            self._close(key)
            key.data.kill()

    def answers(self) -> list[tuple[Path, bytes | Died]]:
        """What ``judge`` returned for each file, in their order; Died where it returned nothing in time."""
        while self._running.get_map():
            ends = [key.data.end for key in self._running.get_map().values()]
            for key, _ in self._running.select(max(0.0, min(ends) - time.monotonic())):
                self._read(key)
            for key in list(self._running.get_map().values()):
                if key.data.end <= time.monotonic():
                    self._close(key)
                    key.data.kill()
                    self._answers[key.data.path] = Died(TOO_LONG)
            self._start()
        return [(path, self._answers[path]) for path in self._paths]

    def _start(self) -> None:
        while self._waiting and len(self._running.get_map()) < _AT_ONCE:
            path = self._waiting.pop(0)
            readable, writable = os.pipe()
            process = os.fork()
            if not process:
                _work(path, self._judge, writable)
            os.close(writable)
            # By both: whichever comes first, it leads its group before anything is sent there.
            with suppress(OSError):
                os.setpgid(process, process)
            worker = Worker(path, process, time.monotonic() + DEADLINE, bytearray())
            self._running.register(readable, selectors.EVENT_READ, worker)

    def _read(self, key: selectors.SelectorKey) -> None:
        worker: Worker = key.data
        if part := os.read(key.fd, 1 << 20):
            worker.answer += part
            return
        self._close(key)
        status = os.waitstatus_to_exitcode(worker.kill())
        self._answers[worker.path] = bytes(worker.answer) if worker.answer else Died(_cause(status))

    def _close(self, key: selectors.SelectorKey) -> None:
        self._running.unregister(key.fd)
        os.close(key.fd)


def _cause(status: int) -> str:
    if status == -signal.SIGXCPU:
        return TOO_MUCH_WORK
    if status in (-signal.SIGABRT, -signal.SIGKILL):
        return "judging it takes more than 256 MiB of memory"
    return f"it could not be judged: the process that read it ended with code {status}"


def _work(path: Path, judge: Callable[[Path], bytes], writable: int) -> NoReturn:
    """Judge a file in this process, which ends with it."""
    # The gate reports a crash as a finding; pytest's fault handler would print a traceback as well.
    faulthandler.disable()
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        # Should the gate itself be killed.
        signal.alarm(int(DEADLINE) + 1)
        _limit()
        with open(writable, "wb") as stream:
            stream.write(judge(path))
    except MemoryError:
        os.abort()
    finally:
        os._exit(0)


def _limit() -> None:
    """Limit this process' time and memory. Forked from a run of pytest, it has hundreds of MiB from the start."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1))
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
    except OSError:
        pages = 0
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    cap = pages * resource.getpagesize() + _MEMORY_CAP
    cap = cap if hard == resource.RLIM_INFINITY else min(cap, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
