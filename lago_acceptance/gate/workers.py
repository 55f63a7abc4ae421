"""Judges compose files in processes of their own: none can keep the gate from ending, or take its memory.

A process judges one file after the other, each within limits. It is forked and not started anew: for one file that would
double the gate's time.
"""

from __future__ import annotations

import faulthandler
import math
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
# Bytes of a file's number on the way to a process, and of the length before each answer.
_NUMBER = 8

Judge = Callable[[Path], bytes]


class Died(Exception):
    """A process ended without an answer for its file; says why, as a sentence about the file."""


class Worker(msgspec.Struct):
    """A running process: where it takes the numbers of files, the one that it judges, when that must be done, its answer."""

    process: int
    orders: int
    file: int = 0
    end: float = 0.0
    answer: bytearray = msgspec.field(default_factory=bytearray)

    def begin(self, file: int) -> None:
        """Have it judge one more file."""
        self.file, self.end, self.answer = file, time.monotonic() + DEADLINE, bytearray()
        with suppress(BrokenPipeError):
            os.write(self.orders, file.to_bytes(_NUMBER, "big"))

    @property
    def answered(self) -> bytes | None:
        """Its answer for the file, None while it isn't whole."""
        length = int.from_bytes(self.answer[:_NUMBER], "big") if len(self.answer) >= _NUMBER else None
        whole = length is not None and len(self.answer) == _NUMBER + length
        return bytes(self.answer[_NUMBER:]) if whole else None

    def kill(self) -> int:
        """End it with all that it started, if it runs; its wait status."""
        os.close(self.orders)
        with suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        return os.waitpid(self.process, 0)[1]


class Workers:
    """The processes for some files, a few at a time; the first ones start at once."""

    def __init__(self, paths: Sequence[Path], judge: Judge):
        self._judge = judge
        self._paths = tuple(paths)
        self._waiting = list(range(len(paths)))
        self._running = selectors.DefaultSelector()
        self._answers: dict[int, bytes | Died] = {}
        try:
            self._start()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End all processes."""
        self._waiting.clear()
        for key in list(self._running.get_map().values()):
            self._end(key)

    def answers(self) -> list[tuple[Path, bytes | Died]]:
        """What ``judge`` returned for each file, in their order; Died where it returned nothing in time."""
        while self._running.get_map():
            ends = [key.data.end for key in self._running.get_map().values()]
            for key, _ in self._running.select(max(0.0, min(ends) - time.monotonic())):
                self._read(key)
            for key in list(self._running.get_map().values()):
                if key.data.end <= time.monotonic():
                    self._end(key)
                    self._answers[key.data.file] = Died(TOO_LONG)
            self._start()
        return [(path, self._answers[number]) for number, path in enumerate(self._paths)]

    def _start(self) -> None:
        while self._waiting and len(self._running.get_map()) < _AT_ONCE:
            taken, orders = os.pipe()
            readable, writable = os.pipe()
            process = os.fork()
            if not process:
                os.close(orders)
                _work(self._paths, self._judge, taken, writable)
            os.close(taken)
            os.close(writable)
            # By both: whichever comes first, it leads its group before anything is sent there.
            with suppress(OSError):
                os.setpgid(process, process)
            worker = Worker(process, orders)
            self._running.register(readable, selectors.EVENT_READ, worker)
            worker.begin(self._waiting.pop(0))

    def _read(self, key: selectors.SelectorKey) -> None:
        worker: Worker = key.data
        if part := os.read(key.fd, 1 << 20):
            worker.answer += part
            if (answer := worker.answered) is None:
                return
            self._answers[worker.file] = answer
            if self._waiting:
                worker.begin(self._waiting.pop(0))
            else:
                self._end(key)
            return
        self._answers[worker.file] = Died(_cause(os.waitstatus_to_exitcode(self._end(key))))

    def _end(self, key: selectors.SelectorKey) -> int:
        self._running.unregister(key.fd)
        os.close(key.fd)
        status: int = key.data.kill()
        return status


def _cause(status: int) -> str:
    if status == -signal.SIGXCPU:
        return TOO_MUCH_WORK
    if status in (-signal.SIGABRT, -signal.SIGKILL):
        return "judging it takes more than 256 MiB of memory"
    return f"it could not be judged: the process that read it ended with code {status}"


def _work(paths: Sequence[Path], judge: Judge, taken: int, writable: int) -> NoReturn:
    """Judge the files that are asked for in this process, which ends with them."""
    # The gate reports a crash as a finding; pytest's fault handler would print a traceback as well.
    faulthandler.disable()
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        _limit_memory()
        with open(writable, "wb") as stream:
            while asked := os.read(taken, _NUMBER):
                # Should the gate itself be killed.
                signal.alarm(int(DEADLINE) + 1)
                _limit_work()
                answer = judge(paths[int.from_bytes(asked, "big")])
                stream.write(len(answer).to_bytes(_NUMBER, "big") + answer)
                stream.flush()
    except MemoryError:
        os.abort()
    finally:
        os._exit(0)


def _limit_work() -> None:
    """Limit the processor time that one more file may take in this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    allowed = math.ceil(used.ru_utime + used.ru_stime) + PROCESSOR_SECONDS
    allowed = allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _limit_memory() -> None:
    """Limit this process' memory. Forked from a run of pytest, it has hundreds of MiB from the start."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
    except OSError:
        pages = 0
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    cap = pages * resource.getpagesize() + _MEMORY_CAP
    cap = cap if hard == resource.RLIM_INFINITY else min(cap, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
