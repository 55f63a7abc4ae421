"""Deploys that something happens to while they run: which step one is at, and what a test has its host do there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lago_acceptance.core.waiting import until
from lago_acceptance.deploy.session import STATE
from tests.support.deploy import command
from tests.support.deploy.host import DeployableHost
from tests.support.patience import PATIENCE


@dataclass
class Running:
    """A deploy that runs beside the test, in a process group of its own."""

    host: DeployableHost
    process: subprocess.Popen
    printed: Path
    before: frozenset[Path]

    @property
    def folder(self) -> Path | None:
        """The folder of this deploy on the host, None until it has one with a journal."""
        new = (each for each in folders(self.host) if each not in self.before)
        return next((each for each in new if (each / "journal").exists()), None)

    def await_event(self, what: str, step: str) -> Path:
        """Wait until the journal on the host has an event; the folder of the deploy."""
        at: list[Path] = []

        def seen() -> bool:
            at[:] = [each for each in [self.folder] if each]
            return bool(at) and (what, step) in journal(at[0])

        assert until(lambda: seen() or self.process.poll() is not None, PATIENCE), self.output
        assert seen(), f"the deploy ended before {what} {step}:\n{self.output}"
        return at[0]

    def kill(self) -> None:
        """End the runner, with all processes of its group, as a crash would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def ended(self) -> command.Ended:
        """Wait until it has ended."""
        return command.Ended(self.process.wait(2 * PATIENCE), self.output)

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self.printed.read_text(errors="replace")


@contextlib.contextmanager
def running(host: DeployableHost, folder: Path, *arguments: str) -> Iterator[Running]:
    """Deploy a folder beside the test. What still runs at the end is killed."""
    printed, before = folder.parent / f"{folder.name}.output", frozenset(folders(host))
    with printed.open("w") as file:
        process = subprocess.Popen(
            command.deploying(host, folder, *arguments),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deploy = Running(host, process, printed, before)
    try:
        yield deploy
    finally:
        if process.poll() is None:
            deploy.kill()


def folders(host: DeployableHost) -> list[Path]:
    """The folders of the deploys on a host, the oldest first."""
    return sorted((host.folder / STATE / "deploys").glob("*"))


def journal(folder: Path) -> list[tuple[str, str]]:
    """Event and step of each line of a deploy's journal."""
    lines = (folder / "journal").read_text().splitlines()
    return [(what, step) for _, what, step in (line.split("\t") for line in lines if line.count("\t") == 2)]


def lock_is_free(host: DeployableHost) -> bool:
    """Whether somebody who wants to change the deployment could."""
    lock = host.folder / STATE / "lock"
    return not lock.exists() or not subprocess.run(["flock", "-n", lock, "true"], check=False).returncode


@contextlib.contextmanager
def ahead_of(host: DeployableHost, function: str, shell: str) -> Iterator[None]:
    """Have the host of the next deploy run shell ahead of a function of its program."""
    before, over = set(folders(host)), threading.Event()
    text = f"case ${{2-}} in {function}) {shell} ;; esac\n"

    def put() -> bool:
        for each in set(folders(host)) - before:
            if (each / "journal").exists() and not over.is_set():
                (each / "a.part.sh").write_text(text)
                return True
        return over.is_set()

    with _beside(lambda: until(put, PATIENCE)):
        try:
            yield
        finally:
            over.set()


@contextlib.contextmanager
def _beside(act: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE)
