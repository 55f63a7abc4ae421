"""Single containers for the tests of this folder."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from lago_acceptance.core import run
from lago_acceptance.model.from_docker import PROJECT_LABEL
from tests.support.patience import PATIENCE

# A stack is not brought up beside a Lago or a Traefik of somebody else; a test's own is not in its way.
OURS = {PROJECT_LABEL: f"{run.PREFIX}selftest"}


def docker(*arguments: str) -> str:
    """What a docker command prints; AssertionError with its words when it fails."""
    ended = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def left_of(run_id: str) -> list[str]:
    """What is on this machine under a run's name: containers, volumes, networks."""
    name = f"name={run.PREFIX}{run_id}"
    return [
        *docker("ps", "--all", "--filter", name, "--format", "{{.Names}}").split(),
        *docker("volume", "ls", "--filter", name, "--format", "{{.Name}}").split(),
        *docker("network", "ls", "--filter", name, "--format", "{{.Name}}").split(),
    ]


def listens(address: str, port: int) -> bool:
    """Whether something takes connections there."""
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class Container:
    """A container that was started here."""

    name: str

    @property
    def address(self) -> str:
        """Its address on Docker's default network; "" when it doesn't run."""
        return docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", self.name)

    @property
    def gateway(self) -> str:
        """This machine's address on Docker's default network. The network itself doesn't always name it."""
        return docker("inspect", "--format", "{{.NetworkSettings.Gateway}}", self.name)

    def logs(self) -> str:
        """Everything that it has printed."""
        command = ["docker", "logs", self.name]
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        ).stdout

    def execute(
        self, *command: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside; its end, whatever it is."""
        options = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        command = ("docker", "exec", *options, self.name, *command)
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@contextlib.contextmanager
def running(image: str, *command: str, options: tuple[str, ...] = (), name: str = "") -> Iterator[Container]:
    """A container of an image, removed with its anonymous volumes afterwards."""
    name = name or f"selftest-{secrets.token_hex(4)}"
    ours = [f"--label={label}={value}" for label, value in OURS.items()]
    docker("run", "--detach", "--name", name, *ours, *options, image, *command)
    try:
        yield Container(name)
    finally:
        docker("rm", "--force", "--volumes", name)
