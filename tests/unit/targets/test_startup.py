"""Whose fault it is that a stack does not come up: this machine's, or the deployment's."""

from __future__ import annotations

import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import CommandResult
from lago_acceptance.targets.stack.startup import refuse_own_fault


@pytest.mark.parametrize(
    "line",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        'error during connect: Get "http://docker/v1.41/containers/json": EOF',
        "Error response from daemon: write /var/lib/docker/x: no space left on device",
    ],
)
def test_this_machines_fault_is_no_verdict(line):
    with pytest.raises(Unreachable, match="on this machine|Docker stopped answering") as error:
        refuse_own_fault(CommandResult(1, f"Network x Creating\n{line}\n"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        "dependency failed to start: container lago-migrate-1 exited (1)",
        'error during connect: Post "http://docker/networks/create": Error response from daemon: invalid mount path',
    ],
)
def test_what_the_daemon_refuses_is_the_deployments_fault(line):
    refuse_own_fault(CommandResult(1, line))
