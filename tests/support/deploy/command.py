"""Runs the commands that deploy, as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lago_acceptance.core.exit_codes import NOT_ACCEPTED
from tests.support import suite_run
from tests.support.deploy import altered
from tests.support.deploy.host import DeployableHost

_DESPITE = re.compile(r"\(--despite (\S+) deploys")


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
    program = altered.__name__ if altered.VARIABLE in os.environ else "lago_acceptance"
    return [sys.executable, "-m", program, name, host.url, *arguments, *given]


def deploy(host: DeployableHost, folder: Path, *arguments: str) -> Ended:
    """Deploy a folder to the host, with reports beside it."""
    return run("deploy", host, str(folder), *arguments, *_own(host, folder))


def deploying(host: DeployableHost, folder: Path, *arguments: str) -> list[str]:
    """The command line of that."""
    return words("deploy", host, str(folder), *arguments, *_own(host, folder))


def deploy_despite(host: DeployableHost, folder: Path, *arguments: str) -> Ended:
    """The same, with everything accepted that the gate refuses; what it refuses changes nothing."""
    ids: list[str] = []
    while True:
        ended = deploy(host, folder, *[word for id in ids for word in ("--despite", id)], *arguments)
        refused = [id for id in dict.fromkeys(_DESPITE.findall(ended.output)) if id not in ids]
        if "the gate refuses the new files" not in ended.output or not refused:
            return ended
        assert ended.code == NOT_ACCEPTED
        assert "Nothing was changed" in ended.output
        ids += refused


def _own(host: DeployableHost, folder: Path) -> list[str]:
    return ["--ca-file", str(host.live.folder / "roots.crt"), "--reports", str(folder.parent / "reports")]
