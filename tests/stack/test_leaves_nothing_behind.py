"""After success, failure, Ctrl-C, SIGTERM and SIGKILL: nothing is left on the machine, and other runs are left alone."""

from __future__ import annotations

import random
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.core import run
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.model.from_docker import PROJECT_LABEL
from lago_acceptance.targets.stack import docker_daemon
from tests.support import broken_deployments, suite_run
from tests.support.containers import left_of
from tests.support.kills import END_SECONDS, Machine
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.stack
SEED = random.randrange(10**6)


def docker(*arguments: str) -> list[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.split()


class Started:
    """A run that goes on in the background."""

    def __init__(self, folder: Path):
        self.reports = folder / "reports"
        options = broken_deployments.write(folder / "deployment")
        self.process = subprocess.Popen(
            suite_run.command("--reports", str(self.reports), "-m", "smoke and phase1", *options),
            cwd=suite_run.ROOT,
            env=suite_run.environment(TMPDIR=str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def id_once_containers_run(self) -> str:
        """The run's id, as soon as it has started containers."""

        def run_id() -> str:
            link = self.reports / "latest"
            found = link.readlink().name if link.is_symlink() else ""
            return found if found and docker("ps", "--filter", f"name={run.PREFIX}{found}", "--quiet") else ""

        found = until(run_id, PATIENCE)
        assert found, "the run started no container"
        return found

    def ended(self, within: float) -> tuple[int, str]:
        """Exit code and output."""
        output, _ = self.process.communicate(timeout=within)
        return self.process.returncode, output


@pytest.mark.parametrize(
    "kind", [signal.SIGINT, signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.exhaustive)]
)
def test_an_interrupted_run_leaves_nothing(tmp_path, kind):
    started = Started(tmp_path)
    run_id = started.id_once_containers_run()
    started.process.send_signal(kind)
    code, output = started.ended(within=END_SECONDS)
    assert code == 2, output[-2000:]
    assert left_of(run_id) == []
    assert not list(tmp_path.glob(f"{run.PREFIX}*")), "the private folder holds keys"


def test_interrupts_while_it_cleans_up_do_not_cut_that_off(tmp_path):
    started = Started(tmp_path)
    run_id = started.id_once_containers_run()

    def has_ended() -> bool:
        started.process.send_signal(signal.SIGINT)
        return started.process.poll() is not None

    assert until(has_ended, END_SECONDS)
    code, output = started.ended(within=PATIENCE)
    assert code == 2 and "Traceback" not in output, output[-2000:]
    assert left_of(run_id) == [] and not list(tmp_path.glob(f"{run.PREFIX}*"))


@pytest.mark.exhaustive
def test_runs_that_are_ended_at_random_moments(tmp_path):
    """A few of them; ``python -m bench.kills`` does many."""
    machine, chance, options = (
        Machine(tmp_path),
        random.Random(SEED),
        broken_deployments.write(tmp_path / "deployment"),
    )
    marks = ["-m", "smoke and phase1", *options]
    for kind in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        struck = machine.strike(marks, kind, chance.uniform(1, 40))
        assert struck.is_right, f"seed {SEED}: {struck}\n{struck.output[-3000:]}"
    # One that nothing ends sweeps up what they have left.
    last = machine.strike(marks, signal.SIGINT, suite_run.DEADLINE)
    assert (last.code, machine.new(())) == (0, []), f"seed {SEED}: {last}\n{last.output[-3000:]}"


def test_other_users_can_read_nothing_while_a_stack_is_up_and_after_it(tmp_path):
    machine = Machine(tmp_path)
    options = broken_deployments.write(tmp_path / "deployment", broken_deployments.pem_absent)
    assert machine.open_to_others(umask=0o000, arguments=["-m", "smoke and phase1", *options]) == []
    assert (machine.reports / "of-the-run" / "latest" / "overlay.yml").exists()


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    killed = Started(tmp_path / "first")
    run_id = killed.id_once_containers_run()
    killed.process.kill()
    killed.ended(within=PATIENCE)
    assert left_of(run_id), "nothing was left, so nothing is proven"
    following = Started(tmp_path / "second")
    try:
        assert until(lambda: not left_of(run_id), PATIENCE), f"still there: {left_of(run_id)}"
        following.id_once_containers_run()
    finally:
        following.process.send_signal(signal.SIGINT)
        following.ended(within=END_SECONDS)


def finished_too_late(kind: str) -> str:
    """The id of a killed run of which Docker makes one thing after everything else was removed."""
    run_id = run.new_id()
    project = f"{run.PREFIX}{run_id}-edge"
    docker(kind, "create", "--label", f"{PROJECT_LABEL}={project}", f"{project}_edge")
    return run_id


@pytest.mark.parametrize("kind", ["network", "volume"])
def test_what_docker_finishes_for_a_killed_run_is_removed_by_the_next(kind):
    run_id, host = finished_too_late(kind), LocalHost()
    remarks = docker_daemon.sweep(docker_daemon.read(host), host, Permit("--target stack"))
    assert left_of(run_id) == [] and f"removed what run {run_id} left behind" in remarks


@pytest.mark.exhaustive
def test_what_docker_finishes_while_the_next_run_goes_on_is_removed_at_its_end(tmp_path):
    started = Started(tmp_path)
    started.id_once_containers_run()
    run_id = finished_too_late("network")
    code, output = started.ended(within=suite_run.DEADLINE)
    assert code == 0 and f"removed what run {run_id} left behind" in output, output[-2000:]
    assert left_of(run_id) == []


def test_a_run_with_networks_of_its_own_is_not_taken_for_the_remains_of_one():
    run_id, host, permit = finished_too_late("network"), LocalHost(), Permit("--target stack")
    name = f"{run.PREFIX}{run_id}-proxy"
    docker_daemon.create_network(name, run_id, host, permit)
    try:
        daemon = docker_daemon.read(host)
        assert name in daemon.listed and run_id not in daemon.remains
    finally:
        assert docker_daemon.remove(run_id, host, permit) == ""


@pytest.mark.exhaustive
def test_runs_side_by_side_do_not_meet(tmp_path):
    first, second = Started(tmp_path / "first"), Started(tmp_path / "second")
    (code_one, output_one), (code_two, output_two) = (
        each.ended(suite_run.DEADLINE) for each in (first, second)
    )
    assert (code_one, code_two) == (0, 0), f"{output_one[-1500:]}\n{output_two[-1500:]}"


def the_user_gets_addresses_and_the_place_of_the_password(notes: list[str], folder: Path) -> None:
    [private] = folder.glob(f"{run.PREFIX}*")
    text = "\n".join(notes)
    assert f"with the password that LAGO_ORG_USER_PASSWORD has in {private}/.env.lago" in text
    assert "URLs: https://" in text and ":3000" in text and "<secret>" not in text
    [curl] = [line.partition("from here: ")[2] for line in notes if "curl --cacert" in line]
    page = subprocess.run(
        [*shlex.split(curl), "--silent", "--show-error", "--fail"], capture_output=True, check=False
    )
    assert page.returncode == 0, page.stderr


# In a process of its own, which has ended when the next run looks.
MAKE_NETWORK = """
import sys
from pathlib import Path
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.run import PREFIX
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.targets.stack.docker_daemon import create_network
_, run, folder = sys.argv
create_network(f"{PREFIX}{run}-proxy", run, LocalHost(), Permit("--target stack"), Path(folder))
"""


def test_a_kept_stack_survives_the_next_run_and_its_command_leaves_nothing(tmp_path):
    kept = suite_run.run(tmp_path / "first", "-m", "smoke and phase1", "--keep", TMPDIR=str(tmp_path))
    run_id = kept.summary["run"]
    try:
        assert kept.code == 0, kept.output[-2000:]
        there = left_of(run_id)
        assert len(there) > 10, there
        the_user_gets_addresses_and_the_place_of_the_password(kept.summary["notes"], tmp_path)
        following = suite_run.run(tmp_path / "second", "-m", "smoke and phase1", TMPDIR=str(tmp_path))
        assert following.code == 0, following.output[-2000:]
        assert left_of(run_id) == there
        [command] = [
            line.partition("remove all of it with: ")[2]
            for line in kept.summary["notes"]
            if line.startswith("remove all of it with: ")
        ]
        assert f"the stack of run {run_id} was kept; remove it with {command}" in following.output
        ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert left_of(run_id) == [] and not list(tmp_path.glob(f"{run.PREFIX}*"))
    finally:
        docker_daemon.remove(run_id, LocalHost(), Permit("--target stack"))


def test_the_networks_of_a_kept_run_are_left_alone_as_long_as_its_private_folder_is_there(tmp_path):
    """They are there before anything else, and nothing else says that the run was to be kept."""
    folder, run_id = tmp_path / f"{run.PREFIX}kept", run.new_id()
    folder.mkdir()
    made = subprocess.run(
        [sys.executable, "-c", MAKE_NETWORK, run_id, folder],
        check=False,
        cwd=suite_run.ROOT,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    host, permit = LocalHost(), Permit("--target stack")
    try:
        remarks = docker_daemon.sweep(docker_daemon.read(host), host, permit)
        assert left_of(run_id) == [f"{run.PREFIX}{run_id}-proxy"]
        assert f"the stack of run {run_id} was kept; remove it with sh {folder}/remove.sh" in remarks
        folder.rmdir()
        docker_daemon.sweep(docker_daemon.read(host), host, permit)
        assert left_of(run_id) == []
    finally:
        docker_daemon.remove(run_id, host, permit)


@pytest.mark.exhaustive
def test_the_containers_of_a_kept_stack_can_be_started_again(tmp_path):
    """They mount a key that the run has made."""
    result = suite_run.run(tmp_path / "reports", "-m", "smoke and phase1", "--keep", TMPDIR=str(tmp_path))
    run_id = result.summary["run"]
    try:
        assert result.code == 0, result.output[-2000:]
        [private] = tmp_path.glob(f"{run.PREFIX}*")
        assert str(private) in result.output and (private.stat().st_mode & 0o777) == 0o700
        service = "label=com.docker.compose.service=lago-api"
        [api] = docker("ps", "-q", "--filter", f"name={run.PREFIX}{run_id}", "--filter", service)
        docker("restart", api)
        health = "{{.State.Health.Status}}"
        assert until(lambda: docker("inspect", "--format", health, api) == ["healthy"], PATIENCE)
    finally:
        left = docker_daemon.remove(run_id, LocalHost(), Permit("--target stack"))
    assert left == ""
