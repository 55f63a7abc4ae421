"""Docker's socket is gone in the middle of a bring-up: one sentence, exit code 6, and what was left is said."""

from __future__ import annotations

import subprocess

import pytest

from lago_acceptance.core import run
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.targets.stack import docker_daemon
from tests.support import broken_deployments, suite_run
from tests.support.containers import docker
from tests.support.patience import PATIENCE
from tests.support.socket_proxy import SocketProxy

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def test_a_daemon_that_goes_away_is_no_verdict_and_what_is_left_is_told(tmp_path):
    proxy = SocketProxy(tmp_path / "docker.sock")
    reports = tmp_path / "reports"
    options = broken_deployments.write(tmp_path / "deployment")
    process = subprocess.Popen(
        suite_run.command("--reports", str(reports), "-m", "smoke and phase1", *options),
        cwd=suite_run.ROOT,
        env=suite_run.environment(TMPDIR=str(tmp_path), DOCKER_HOST=f"unix://{proxy.path}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def started() -> str:
        link = reports / "latest"
        found = link.readlink().name if link.is_symlink() else ""
        return found if found and docker("ps", "-q", "--filter", f"name={run.PREFIX}{found}") else ""

    try:
        run_id = until(started, PATIENCE)
        assert run_id, "the run started no container"
        proxy.cut()
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        proxy.cut()
        if link := next(reports.glob("latest"), None):
            left = docker_daemon.remove(link.readlink().name, LocalHost(), Permit("--target stack"))
            assert left == ""
    result = suite_run.Result(process.returncode, output, 0, {}, None)
    suite_run.assert_refused(result, 6, "not judged", "Docker")
    suite_run.assert_refused(result, 6, "could not be removed", f"--filter name={run.PREFIX}{run_id}")
