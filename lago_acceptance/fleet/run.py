"""Runs against many hosts, side by side: a child process for each, so that none delays or hides another."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TypeAlias

import msgspec

from lago_acceptance.core import report_files
from lago_acceptance.core.exit_codes import INTERNAL_ERROR, UNREACHABLE, USAGE
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet import child, merge, remembered
from lago_acceptance.fleet.target import Target
from lago_acceptance.reports.summary import NotReadable, Summary, read
from lago_acceptance.reports.verdict import in_words

# Exit codes from here on are of a process that could not be forked.
NOT_STARTED = 255
HOST_SECONDS = 600.0
# A run waits for its host longer than it computes, so more of them than cores. With three for each core, probes ran out of
# time, and of 50 hosts that are well 14 were red.
PER_CORE = 2
# What a run takes of this machine's memory, with its ssh, and what is left to everything else.
RUN_MIB, SPARE_MIB = 80, 250
CGROUP = Path("/sys/fs/cgroup")
# How long a run that is ended may take to clean up.
END_SECONDS = 20
# How much is printed of what a run has said; its file has everything.
SHOWN = 200_000
PYTEST = ("pytest",)
Run: TypeAlias = multiprocessing.process.BaseProcess
OUTPUT, SSH_CONFIG = "output.log", "ssh_config"


class HostRun(msgspec.Struct, frozen=True):
    """How the run against one host ended. ``output`` is the end of what it printed."""

    target: Target
    summary: Summary
    output: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How hosts are looked at: ``arguments`` are the options of each run, ``seconds`` the deadline of each.

    ``project`` and ``ssh_config`` are those of hosts that name none; ``history_on_host`` is the path of a history that lies
    on each host, in which its run is remembered instead of in ``history``; ``keep`` is how many runs of each host the
    history has; ``instead_of`` has the ids of runs that are repeated, and which the history forgets; ``command`` is the
    module, as for ``python -m``, that takes the options; ``everything`` says whether also the output of accepted hosts is
    printed.
    """

    reports: Path
    arguments: Sequence[str]
    seconds: float = HOST_SECONDS
    history: Path | None = None
    history_on_host: str = ""
    instead_of: Mapping[Target, str] = {}
    ssh_config: Path | None = None
    keep: int = 1000
    project: str = ""
    scheduled: bool = False
    everything: bool = True
    command: Sequence[str] = PYTEST

    @property
    def history_file(self) -> Path:
        """Where the runs of all hosts are remembered."""
        return self.history or self.reports / merge.HISTORY


def look(targets: Sequence[Target], how: Look, write: Callable[[str], None]) -> tuple[Summary, ...]:
    """Look at each host; their summaries, in the same order. ``write`` gets a text whenever one has ended.

    The reports of each host go to a folder of its own.
    """
    if not 0 < how.seconds < float("inf"):
        raise UsageError(f"--host-deadline {how.seconds:g} is not a time limit; give seconds, such as 600")
    runs = _Runs(how)
    ended: dict[Target, Summary] = {}
    with ThreadPoolExecutor(at_once()) as pool:
        try:
            for future in as_completed([pool.submit(runs.run, target) for target in targets]):
                each = future.result()
                ended[each.target] = summary = each.summary
                if how.everything or summary.exit_code:
                    write(f"===== {each.target.address}\n{each.output.rstrip()}")
                words = f"{_verdict(summary)} ({summary.seconds:.0f} s)"
                write(f"[{len(ended)}/{len(targets)}] {each.target.address}: {words}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runs.end()
            raise
    return tuple(ended[target] for target in targets)


def finish(
    targets: Sequence[Target], summaries: Sequence[Summary], how: Look, write: Callable[[str], None]
) -> int:
    """Print the verdicts, and write one summary and one page of all hosts; the exit code of the worst."""
    write("===== verdicts")
    for target, summary in zip(targets, summaries, strict=True):
        write(f"{target.address}: {_verdict(summary)}")
    merged = merge.fleet(summaries)
    problems = remembered.add(summaries, how.history_file, how.keep)
    known = remembered.of(summaries, how.history_file)
    problems += [*known.problems, *merge.write(how.reports, merged, known.past)]
    for problem in dict.fromkeys(problems):
        write(f"the reports of this run are not complete; the verdicts count all the same: {problem}")
    return merged.exit_code


def _verdict(summary: Summary) -> str:
    """The verdict with the first cause, or with what kept it from being given."""
    causes = [cause.finding.problem for cause in summary.causes]
    why = causes or (
        [note for note in summary.notes if note not in summary.verdict]
        if summary.exit_code == UNREACHABLE
        else []
    )
    return f"{summary.verdict}: {one_line(why[0].removeprefix('not judged: '))}" if why else summary.verdict


def at_once() -> int:
    """How many hosts this machine, or this container (cgroup v2), checks side by side: by its cores and free memory."""
    import psutil

    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        # A container may have less than its machine.
        limit, used = (int((CGROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        free = min(free, limit - used)
    by_memory = int(free / 2**20 - SPARE_MIB) // RUN_MIB
    cores = float(len(os.sched_getaffinity(0)))
    with suppress(OSError, ValueError):
        quota, period = map(int, (CGROUP / "cpu.max").read_text().split())
        cores = min(cores, quota / period)
    return max(1, min(int(PER_CORE * cores), by_memory))


class _Runs:
    """Processes, one for each host, each the leader of a group of its own."""

    def __init__(self, how: Look):
        self._how = how
        self._lock, self._ended = threading.Lock(), False
        self._running: set[Run] = set()
        # Forked from a process that has loaded everything, they begin at once and share its memory.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["lago_acceptance.fleet.loaded"])

    def run(self, target: Target) -> HostRun:
        """Look at one host, until that has ended or its time is up."""
        folder = self._how.reports / target.folder
        before = _latest(folder)
        started = time.time()
        with _output(folder) as output:
            try:
                code, verdict = self._wait(self._start(target, folder, output.name))
            except (OSError, EOFError, report_files.NotWritten) as error:
                code, verdict = (
                    UNREACHABLE,
                    f"could not be started, so there is no verdict: {one_line(str(error))}",
                )
            said = _end_of(output)
        ended = time.time()
        summary = None
        # A run that was cut off has written no summary, and an earlier run's must not be taken for it.
        if (latest := _latest(folder)) != before:
            with suppress(NotReadable):
                summary = read(latest / merge.SUMMARY)
        if code == USAGE and (lines := said.strip().splitlines()):
            verdict += f": {one_line(redact(lines[-1].removeprefix('ERROR: ')))}"
        if summary is None or summary.exit_code != code:
            summary = merge.without_verdict(
                target.address.removeprefix("ssh://"),
                target.project or self._how.project,
                code,
                verdict,
                started=started,
                ended=ended,
                scheduled=self._how.scheduled,
            )
        return HostRun(target, summary, said)

    def _start(self, target: Target, folder: Path, output: str) -> Run:
        words = [*self._how.command, *self._how.arguments, *target.options, "--reports", str(folder)]
        if config := ssh_config(target, self._how):
            words += ["--ssh-config", str(config)]
        if repeated := self._how.instead_of.get(target):
            words += ["--instead-of", repeated]
        if self._how.history_on_host:
            words += ["--history-on-host", self._how.history_on_host]
        else:
            words += ["--history", str(self._how.history_file)]
        process = self._context.Process(target=child.run, args=(words, output))
        with self._lock:
            if self._ended:
                raise KeyboardInterrupt
            process.start()
            self._running.add(process)
        return process

    def _wait(self, process: Run) -> tuple[int, str]:
        """The exit code of a process in time, and what it means; one that takes too long is ended."""
        process.join(self._how.seconds)
        code = process.exitcode
        if code is None:
            _end([process])
        with self._lock:
            self._running.discard(process)
        if code is None:
            return UNREACHABLE, f"took longer than {self._how.seconds:g} s, so there is no verdict"
        # The code of a run that was killed is the signal's number, negative.
        code = code if 0 <= code < NOT_STARTED else INTERNAL_ERROR
        return code, in_words(code, ())

    def end(self) -> None:
        """End all of them, and start no other."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        _end(running)


def _end(processes: Sequence[Run]) -> None:
    """Let processes clean up, and end what is left of them and of what they started."""
    import psutil

    started: list[psutil.Process] = []
    for process in processes:
        with suppress(psutil.Error):
            started += psutil.Process(process.pid).children(recursive=True)
        process.terminate()
    until = time.monotonic() + END_SECONDS
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
    for each in started:
        with suppress(psutil.Error):
            each.kill()


def ssh_config(target: Target, how: Look) -> Path | None:
    """The ssh_config with which a host is entered, None for the user's own. A private key of its own comes by a file."""
    given = target.ssh_config or how.ssh_config
    if target.identity is None:
        return given
    others = [given] if given else [Path("~/.ssh/config").expanduser(), Path("/etc/ssh/ssh_config")]
    lines = [f'IdentityFile "{str(target.identity.absolute()).replace("%", "%%")}"', "IdentitiesOnly yes"]
    lines += [f'Include "{other.absolute()}"' for other in others if other.is_file()]
    config = report_files.make_folder(how.reports / target.folder) / SSH_CONFIG
    report_files.write(config, "".join(f"{line}\n" for line in lines).encode())
    return config


def _output(folder: Path) -> IO[bytes]:
    """A file for what a run prints: beside its reports, where these can be written."""
    with suppress(report_files.NotWritten):
        report_files.make_folder(folder)
        report_files.write(folder / OUTPUT, b"")
        with report_files.writing(folder / OUTPUT):
            return (folder / OUTPUT).open("rb")
    return NamedTemporaryFile()


def _end_of(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - SHOWN))
    text = output.read(SHOWN).decode("utf-8", "replace")
    return f"(the beginning is in {OUTPUT} among the host's reports)\n{text}" if size > SHOWN else text


def _latest(folder: Path) -> Path:
    # Which says nothing of a loop.
    return Path(os.path.realpath(folder / "latest"))
