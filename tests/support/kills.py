"""Ends a run by a signal at some moment, and looks for what it has left on this machine."""

from __future__ import annotations

import contextlib
import signal
import stat
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lago_acceptance.core import run
from lago_acceptance.core.waiting import until
from tests.support import processes, suite_run
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

# How long an interrupted run may clean up, on a machine that does other things too.
END_SECONDS = 150
# A shared ssh connection of a killed run ends by itself after 30 seconds.
GONE_SECONDS = 45
MARK = "LAGO_TEST_MACHINE"
KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


@dataclass(frozen=True)
class Struck:
    """How a run ended: its exit code, what it printed, and how many seconds it took to end."""

    kind: signal.Signals
    after: float
    code: int
    output: str
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether this is how such a run ends: interrupted, or with its verdict where that came first."""
        if self.kind == signal.SIGKILL:
            return self.code in (-self.kind, 0)
        # Before its first line a program has no handler yet, and has made nothing; after its last one it has none left.
        outside = "session starts" not in self.output or "verdict, run" in self.output
        return self.code in (0, 2) or (self.code in (-self.kind, 1) and outside)

    @property
    def has_traceback(self) -> bool:
        """Whether it printed a traceback, other than where Python itself starts and ends: there no line is the run's."""
        outside = self.code == -self.kind or "Fatal Python error: init_" in self.output
        return "Traceback" in self.output and not outside

    def __str__(self) -> str:
        return f"{self.kind.name} after {self.after:.2f} s: exit code {self.code} after {self.seconds:.1f} s more"


@dataclass
class Machine:
    """This machine as runs see it that have a temporary folder and a mark of their own."""

    folder: Path
    uses_docker: bool = True
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        for each in (self.temporary, self.reports):
            each.mkdir(parents=True)

    @property
    def temporary(self) -> Path:
        """The temporary folder of the runs."""
        return self.folder / "tmp"

    @property
    def reports(self) -> Path:
        """Where they report."""
        return self.folder / "reports"

    def strike(self, arguments: list[str], kind: signal.Signals, after: float, again: int = 0) -> Struck:
        """Start a run of the suite and send it a signal after some seconds, if it hasn't ended by then.

        ``again``: how often the signal is repeated, every tenth of a second.
        """
        log = self.folder / "output"
        with log.open("w") as output:
            process = subprocess.Popen(
                suite_run.command("-c", "pytest.ini", "--reports", str(self.reports), *arguments),
                cwd=ROOT,
                env=suite_run.environment(TMPDIR=str(self.temporary), **{MARK: self.mark}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(after)
            for _ in range(1 + again):
                # After the end it goes nowhere.
                process.send_signal(kind)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            started = time.monotonic()
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            said = log.read_text()[-2000:]
            raise AssertionError(f"{kind.name} after {after:.2f} s: it did not end: {said}") from None
        finally:
            # Also where whoever strikes is ended.
            if process.poll() is None:
                process.kill()
                process.wait()
        return Struck(kind, after, process.returncode, log.read_text(), time.monotonic() - started)

    def open_to_others(self, *, umask: int, arguments: list[str]) -> list[str]:
        """What other users could read of a run's temporary files and reports, while it goes on and after it."""
        found: set[str] = set()
        process = subprocess.Popen(
            suite_run.command("-c", "pytest.ini", "--reports", str(self.reports / "of-the-run"), *arguments),
            cwd=ROOT,
            env=suite_run.environment(TMPDIR=str(self.temporary), **{MARK: self.mark}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=umask,
        )

        def has_ended() -> bool:
            ended = process.poll() is not None
            for place in (self.temporary, self.reports):
                found.update(_open_to_others(place))
            return ended

        assert until(has_ended, suite_run.DEADLINE), "the run did not end"
        return sorted(found)

    def left(self) -> list[str]:
        """What runs have left: processes, temporary files, containers, volumes and networks."""
        files = [str(each) for each in self.temporary.iterdir()]
        runs = [each.name for each in self.reports.iterdir() if each.is_dir() and not each.is_symlink()]
        names = " ".join(docker_names()) if self.uses_docker else ""
        return [
            *processes.with_variable(MARK, self.mark),
            *files,
            *(f"Docker's objects of run {each}" for each in runs if each in names),
        ]

    def new(self, before: Iterable[str]) -> list[str]:
        """What is left beside what was left ``before``, after as long as a killed run's connection may hold."""
        until(lambda: set(self.left()) <= set(before), GONE_SECONDS)
        return sorted(set(self.left()) - set(before))


def _open_to_others(folder: Path) -> Iterator[str]:
    """What is in a folder that others may read or enter, as far as they get."""
    for each in folder.iterdir():
        with contextlib.suppress(OSError):
            mode = each.lstat().st_mode
            if stat.S_ISLNK(mode) or not mode & 0o077:
                continue
            yield f"{each} {stat.filemode(mode)}"
            if stat.S_ISDIR(mode):
                yield from _open_to_others(each)


def docker_names() -> list[str]:
    """The names of all containers, volumes and networks that runs have made."""
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    found = []
    for kind in kinds:
        name = "{{.Names}}" if kind[0] == "ps" else "{{.Name}}"
        command = ["docker", *kind, "--filter", f"name={run.PREFIX}", "--format", name]
        found += subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout.split()
    return found
