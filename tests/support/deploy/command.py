"""Runs the commands that deploy, as a user does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import suite_run
from tests.support.deploy.host import DeployableHost


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it printed."""

    code: int
    output: str


def run(name: str, host: DeployableHost, *arguments: str, deadline: float = suite_run.DEADLINE) -> Ended:
    """``lago-acceptance NAME HOST ARGUMENT...``, with the settings and the ssh_config of the host."""
    ended = subprocess.run(
        words(name, host, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=deadline,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout)


def words(name: str, host: DeployableHost, *arguments: str) -> list[str]:
    """The command line."""
    given = ["--settings", str(host.settings), "--ssh-config", str(host.live.server.ssh_config)]
    return [sys.executable, "-m", "lago_acceptance", name, host.url, *arguments, *given]


def deploy(host: DeployableHost, folder: Path, *arguments: str) -> Ended:
    """Deploy a folder to the host, with reports beside it."""
    own = ["--ca-file", str(host.live.folder / "roots.crt"), "--reports", str(folder.parent / "reports")]
    return run("deploy", host, str(folder), *arguments, *own)
