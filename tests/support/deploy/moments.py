"""Deploys that something happens to while they run: which step one is at, and what a test has its host do there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from lago_acceptance.core.waiting import until
from lago_acceptance.deploy.session import STATE
from lago_acceptance.deploy.steps import DEPLOY
from tests.support.deploy import altered, command
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

    def fall_silent(self) -> None:
        """Stop the runner and its ssh where they are, as a connection that breaks does."""
        os.killpg(self.process.pid, signal.SIGSTOP)

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


def steps(*always: str) -> list[ParameterSet]:
    """All steps of a deploy as parameters; those that are not named are for exhaustive runs."""
    return [
        pytest.param(each.name, marks=() if each.name in always else pytest.mark.exhaustive)
        for each in DEPLOY
    ]


# What ahead_of may have a host run: the program of the deploy, and the step that it is at, end as in a crash.
DIES = 'kill -9 "$(cut -d " " -f 4 /proc/$PPID/stat)"; kill -9 0'
# The same at the end of the function, before anybody has heard of it.
DIES_AFTER = f"trap '{DIES}' EXIT"
# Docker's containers end with it, as when a host loses its power.
LOSES_POWER = f'docker ps -q --filter "label=com.docker.compose.project=$project" | xargs docker kill; {DIES}'
FILLS_ITS_DISK = 'cat /dev/zero >"$state/filler" 2>/dev/null || :'
DUMP_BREAKS_OFF = """
docker() {
    case "$*" in *pg_dump*) command docker "$@" | head -c 20000 && return 1 ;; esac
    command docker "$@"
}
"""


@contextlib.contextmanager
def ahead_of(function: str, shell: str) -> Iterator[None]:
    """Have the hosts of the deploys that are begun in the block run shell ahead of a function of their program."""
    os.environ[altered.VARIABLE] = _part(function, shell)
    try:
        yield
    finally:
        del os.environ[altered.VARIABLE]


@contextlib.contextmanager
def each_time(host: DeployableHost, function: str, shell: str) -> Iterator[None]:
    """Have the newest deploy's program on the host run shell ahead of a function, until the block ends."""
    part = folders(host)[-1] / altered.NAME
    part.write_text(_part(function, shell))
    try:
        yield
    finally:
        part.unlink()


@contextlib.contextmanager
def small_disk(host: DeployableHost, size: str = "64m") -> Iterator[None]:
    """A disk of its own, and a small one, for what deploys keep on the host."""
    place = host.folder / STATE
    place.mkdir(mode=0o700)
    options = f"size={size},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True, timeout=PATIENCE)
    try:
        yield
    finally:
        host.forget_deploys()
        subprocess.run(["umount", str(place)], check=True, timeout=PATIENCE)
        place.rmdir()


def _part(function: str, shell: str) -> str:
    return f"case ${{2-}} in {function}) {shell} ;; esac\n"
