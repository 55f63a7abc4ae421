"""Beside what no test stack is started, and which runs are removed from a daemon that others share."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.core import owner
from lago_acceptance.core import run as runs
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import CommandResult, Host
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.targets.stack import docker_daemon, foreign

SOCKET = {"Source": "/var/run/docker.sock", "Destination": "/var/run/docker.sock"}
PERMIT = Permit("test")
DONE = CommandResult(0, "")


class FakeHost(Host):
    """A host whose daemon answers with given lines, and that records what is changed on it."""

    def __init__(self, *lines: str, ending: CommandResult = DONE):
        self.lines, self.changes, self.ending = lines, [], ending

    def read(self, reading) -> str:
        return "\n".join(("endpoint unix:///x.sock", "version 28 linux", *self.lines))

    def change(self, change, permit, give_up=None) -> CommandResult:
        self.changes.append(change.arguments[-1])
        return self.ending


def container(**fields) -> str:
    return "container " + json.dumps(
        {"id": "f" * 64, "name": "/c", "image": "app:1", "path": "run", **fields}
    )


def network(run: str, label: str, name: str = "", kept: str = "") -> str:
    labels = {runs.RUN_LABEL: run, runs.OWNER_LABEL: label, runs.KEPT_LABEL: kept}
    name = name or f"{runs.PREFIX}{run}-proxy"
    return f"listed {name}\nnetwork " + json.dumps({"name": name, "labels": labels})


def refusal(**fields) -> str:
    """Why no stack may be started beside such a container; "" if one may."""
    try:
        docker_daemon.refuse_unless_ours(docker_daemon.read(FakeHost(container(**fields))))
    except Unreachable as error:
        return str(error)
    return ""


PUBLISHED = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "traefik:v3"},
        {"image": "getlago/api:v1.16.0"},
        {"path": "/entrypoint.sh", "args": ["traefik", "--api"]},
        {"path": "/usr/local/bin/traefik"},
        {"path": "/edge", "args": ["--providers.docker=true"]},
        {"path": "sh", "args": ["-c", "exec /bin/traefik --configFile=/x"]},
        {"labels": {"org.opencontainers.image.title": "Traefik"}},
        {"mounts": [SOCKET], "ports": PUBLISHED},
        {"mounts": [SOCKET], "network": "host"},
        {"mounts": [{"Source": "/var/run"}], "ports": PUBLISHED},
        {"mounts": [{"Source": "/"}], "network": "host"},
        {"mounts": [{"Source": "/run/user/1000/docker.sock"}], "ports": PUBLISHED},
    ],
)
def test_what_may_take_the_stacks_routes_is_refused(fields):
    reason = refusal(**fields)
    assert "could route customers" in reason and "--target live" in reason and "\n" not in reason


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"image": "postgres:16"},
        {"mounts": [SOCKET]},
        {"mounts": [SOCKET], "ports": {"9000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9000"}]}},
        {"ports": PUBLISHED},
        {"network": "host", "mounts": [{"Source": "/srv"}]},
        {"mounts": [SOCKET], "ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]}},
        {"ports": {"80/tcp": None}, "mounts": [{"Name": "volume"}]},
        {"image": "traefik:v3", "labels": {"com.docker.compose.project": f"{runs.PREFIX}1-edge"}},
    ],
)
def test_what_does_no_harm_is_not_refused(fields):
    assert refusal(**fields) == ""


def test_the_container_that_the_run_itself_is_in_is_not_refused(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 /var/lib/docker/containers/{'f' * 64}/hostname /etc/hostname rw\n")
    monkeypatch.setattr(docker_daemon, "_MOUNTS", mounts)
    assert refusal(mounts=[SOCKET], network="host") == ""


def test_no_label_can_forge_a_row():
    dead = network("20260101-000000-abcdef", "x")
    seen = docker_daemon.read(FakeHost(container(labels={"a": f"\n{dead}\nunanswered\t"})))
    assert seen.networks == () and len(seen.running) == 1
    assert isinstance(seen.running[0], foreign.RunningContainer)


# --- the sweep ---


@pytest.fixture
def ended() -> str:
    """The owner's label of a process that has ended."""
    text = "from lago_acceptance.core import owner; print(owner.me())"
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True
    ).stdout.strip()


def swept(*lines: str) -> tuple[list[str], list[str]]:
    """The names of the runs that are removed, and the remarks."""
    host = FakeHost(*lines)
    remarks = docker_daemon.sweep(docker_daemon.read(host), host, PERMIT)
    return host.changes, remarks


def test_a_run_whose_process_has_ended_is_removed(ended):
    removed, [remark] = swept(network("one-is", ended))
    assert removed == [f"{runs.PREFIX}one-is"] and "removed what run one-is left behind" in remark


def test_a_run_that_is_going_on_is_left_alone():
    assert swept(network("one-is", owner.me())) == ([], [])


@pytest.mark.parametrize("label", ["4711-1700000000", "", "unknown"])
def test_a_run_of_which_nobody_can_tell_is_left_alone_and_told(label):
    removed, [remark] = swept(network("one-is", label))
    assert (
        removed == []
        and f"docker ps -aq --filter name={runs.PREFIX}one-is | xargs -r docker rm -fv" in remark
    )


def test_a_run_is_removed_only_if_all_of_it_is_dead(ended):
    assert swept(network("one-is", ended), network("one-is", owner.me())) == ([], [])
    assert swept(network("one-is", ended), network("one-is", "unknown"))[0] == []


def test_a_stack_that_was_kept_is_left_alone_and_told(ended, tmp_path):
    folder = tmp_path / f"{runs.PREFIX}x y"
    folder.mkdir()
    removed, [remark] = swept(network("one-is", ended, kept=str(folder)))
    assert removed == [] and remark.endswith(f"remove it with sh '{folder}/remove.sh'")


def test_a_stack_that_was_to_be_kept_and_lost_its_private_folder_is_removed(ended, tmp_path):
    removed, _ = swept(network("one-is", ended, kept=str(tmp_path / f"{runs.PREFIX}gone")))
    assert removed == [f"{runs.PREFIX}one-is"]


@pytest.mark.parametrize("folder", ["/", "/etc", "relative"])
def test_a_folder_of_somebody_else_keeps_nothing(ended, folder):
    assert swept(network("one-is", ended, kept=folder))[0] == [f"{runs.PREFIX}one-is"]


def test_a_run_that_is_going_on_and_will_be_kept_is_not_told(tmp_path):
    (tmp_path / f"{runs.PREFIX}x").mkdir()
    assert swept(network("one-is", owner.me(), kept=str(tmp_path / f"{runs.PREFIX}x"))) == ([], [])


FAKE_DOCKER = """#!/bin/sh
echo "$DOCKER_HOST $*" >> {log}
case "$*" in "ps -a --filter"*) [ -e {left} ] && echo container x ;; esac
exit 0
"""


def test_the_program_that_removes_a_kept_stack_removes_its_folder_last(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    log, left = tmp_path / "log", tmp_path / "left"
    (tmp_path / "bin" / "docker").write_text(FAKE_DOCKER.format(log=log, left=left))
    (tmp_path / "bin" / "docker").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    private = tmp_path / "it's private"
    private.mkdir()
    run = runs.Run("one-is", tmp_path, private)
    command = ["sh", "-c", docker_daemon.write_removal(run, "unix:///x.sock")]
    left.touch()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "still there: container x\n") and private.exists()
    left.unlink()
    assert subprocess.run(command, check=False).returncode == 0 and not private.exists()
    assert f"unix:///x.sock ps -aq --filter label=com.docker.compose.project={run.project}" in log.read_text()


RUN = "20261126-160520-6d6a34"


@pytest.mark.parametrize("of", ["", "-edge", "-gateway"])
def test_what_docker_finished_after_a_run_was_removed_is_removed_too(of):
    """A network that was being made while the run was killed: nothing of it names an owner."""
    removed, [remark] = swept(f'project "{runs.PREFIX}{RUN}{of}"')
    assert removed == [runs.PREFIX + RUN] and f"removed what run {RUN} left behind" in remark


@pytest.mark.parametrize("label", [owner.me(), "unknown", ""], ids=["alive", "unknown", "none"])
def test_what_is_made_for_a_run_that_may_be_going_on_is_left_alone(label):
    assert swept(network(RUN, label), f'project "{runs.PREFIX}{RUN}-edge"')[0] == []


def test_a_run_whose_networks_can_be_listed_but_not_inspected_is_left_alone():
    assert swept(f"listed {runs.PREFIX}{RUN}-proxy", f'project "{runs.PREFIX}{RUN}"') == ([], [])


def test_a_runs_id_is_known_by_its_form():
    assert re.fullmatch(runs.ID, runs.new_id())


@pytest.mark.parametrize("name", ["dev", "1", f"{RUN}-mine", f"x{RUN}", "20261126-160520", f"{RUN}\\n"])
def test_a_project_of_somebody_else_is_left_alone(name):
    """Compose names one after its folder, such as lago-acceptance-dev."""
    assert swept(f'project "{runs.PREFIX}{name}"', f'project "{RUN}"') == ([], [])


@pytest.mark.parametrize("run", ["", "other", "*", "a b", "../x", "-rf"])
def test_a_label_on_a_network_of_a_compose_file_names_no_run(ended, run):
    assert swept(network(run, ended, name=f"{runs.PREFIX}mine_default")) == ([], [])


@pytest.mark.parametrize(
    "ending",
    [
        CommandResult(0, "container x-db-1\nvolume x_data\n"),
        CommandResult(1, "Cannot connect to the Docker daemon at unix:///x.sock\n"),
        CommandResult(-15, "", "removal of the run's containers did not end within 90 s"),
    ],
)
def test_what_could_not_be_removed_is_told_with_the_command(ended, ending):
    host = FakeHost(network("one-is", ended), ending=ending)
    [remark] = docker_daemon.sweep(docker_daemon.read(host), host, PERMIT)
    said = ending.output.split("\n")[0] or ending.stopped
    assert (
        said in remark and f"docker ps -aq --filter name={runs.PREFIX}one-is" in remark and "\n" not in remark
    )


HOLDING = """#!/bin/sh
case "$*" in
    "network ls"*"{{{{.Name}}}}") echo x_edge ;;
    "network rm"*) echo "Error: {refusal}" >&2; exit 1 ;;
    "network inspect"*) echo {on_it} ;;
esac
"""


@pytest.mark.parametrize(
    ("refusal", "on_it", "held"),
    [
        ("network x has active endpoints", 0, True),
        ("has active endpoints", 1, False),
        ("a timeout", 0, False),
    ],
)
def test_a_network_that_docker_itself_holds_is_told_with_what_frees_it(
    refusal, on_it, held, tmp_path, monkeypatch
):
    (tmp_path / "docker").write_text(HOLDING.format(refusal=refusal, on_it=on_it))
    (tmp_path / "docker").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    left = docker_daemon.remove("one-is", LocalHost(), PERMIT)
    assert "network x_edge" in left and ("restart Docker" in left) == held


# --- a daemon that doesn't answer ---


def test_a_daemon_that_is_gone_is_not_taken_for_a_clean_one(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/gone.sock")
    left = docker_daemon.remove("one-is", LocalHost(), PERMIT)
    assert "docker ps -aq" in left and left.count("Cannot connect") == 1
    with pytest.raises(Unreachable, match="Docker does not answer") as error:
        docker_daemon.read(LocalHost())
    assert "\n" not in str(error.value)


def test_without_docker_on_the_path_one_sentence_says_so(monkeypatch, tmp_path):
    for name in ("sh", "timeout"):
        (tmp_path / name).symlink_to(Path("/usr/bin") / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreachable, match="docker is not on PATH") as error:
        docker_daemon.read(LocalHost())
    assert "\n" not in str(error.value)
