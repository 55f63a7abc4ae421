"""Several hosts: a run and a verdict for each, and the worst exit code."""

from __future__ import annotations

import signal
import socket
import subprocess

import pytest

from lago_acceptance.core.waiting import until
from tests.support import processes, suite_run
from tests.support.patience import PATIENCE


def test_two_hosts_that_can_not_be_reached(tmp_path):
    result = suite_run.run(
        tmp_path, "-m", "smoke", "--target", "live", "--hosts", "ssh://a.invalid,ssh://b.invalid"
    )
    assert result.code == 6, result.output
    verdicts = result.output.partition("===== verdicts")[2]
    for name in ("a.invalid", "b.invalid"):
        assert f"ssh://{name}: the target could not be reached" in verdicts
        assert (tmp_path / name / "latest" / "summary.json").is_file()
    assert "Traceback" not in result.output


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_look_at_several_hosts_leaves_nothing_that_runs(kind, tmp_path):
    """Something takes the connections and says nothing, so both runs wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        port = silent.getsockname()[1]
        hosts = f"ssh://a@127.0.0.1:{port},ssh://b@127.0.0.1:{port}"
        given = ("-c", "pytest.ini", "-m", "smoke", "--target", "live", "--hosts", hosts, "--reports")
        run = subprocess.Popen(
            suite_run.command(*given, str(tmp_path)),
            cwd=suite_run.ROOT,
            env=suite_run.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert until(lambda: len(processes.started_by(run.pid, "ssh")) >= 2, PATIENCE)
        children = processes.started_by(run.pid)
        run.send_signal(kind)
        output, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 2, output
    assert "interrupted" in output and "Traceback" not in output
    # The process that they were forked from ends when it sees that its parent has.
    assert until(lambda: not [each for each in children if processes.runs(each)], PATIENCE)


@pytest.mark.stack
@pytest.mark.docker
def test_one_that_is_well_beside_one_that_is_not_there(live_lago, tmp_path):
    given = list(live_lago.options)
    given[given.index("--hosts") + 1] += ",ssh://root@no-such-host.invalid"
    result = suite_run.run(tmp_path, "-m", "smoke and phase1", *given)
    assert result.code == 6, result.output
    verdicts = result.output.partition("===== verdicts")[2]
    assert f"{live_lago.server.url}: accepted" in verdicts
    assert "no-such-host.invalid: the target could not be reached" in verdicts


@pytest.mark.parametrize(
    ("hosts", "words"),
    [("ssh://a.invalid,b.invalid", "write ssh://b.invalid"), ("ssh://a.invalid,ssh://a.invalid", "twice")],
)
def test_hosts_that_can_not_be_used(hosts, words, tmp_path):
    result = suite_run.run(tmp_path, "--target", "live", "--hosts", hosts)
    assert result.code == 4 and words in result.output and "Traceback" not in result.output
