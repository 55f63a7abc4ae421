"""The set-up says what is missing, installs only where that is its business, and starts what doesn't run.

The scripts run with a PATH of their own, on which each program is the real one or one that plays a part.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

PROJECT = ROOT
REAL = (
    "bash",
    "cat",
    "cksum",
    "cp",
    "date",
    "dirname",
    "env",
    "flock",
    "grep",
    "ln",
    "ls",
    "make",
    "mktemp",
    "rm",
    "sed",
    "setsid",
    "sh",
    "sleep",
    "tail",
    "timeout",
    "touch",
    "tr",
    "uname",
)


class Machine:
    """A machine that the scripts see: which programs it has and what they do."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.calls = folder / "calls"
        self.running = folder / "running"
        for name in REAL:
            (self.tools / name).symlink_to(shutil.which(name))
        (self.tools / "python3").symlink_to(Path(sys.executable).resolve())
        self.program("id", "echo 1000")

    def program(self, name: str, body: str, package: str = "") -> None:
        """A program that is there; or, with ``package``, that comes when apt-get installs that."""
        path = (self.folder / "packages" / package if package else self.tools) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n{body}\n')
        path.chmod(0o755)

    def is_root(self) -> None:
        self.program("id", "echo 0")

    def has_docker_client(self, endpoint: str = "unix:///var/run/docker.sock", package: str = "") -> None:
        """A client that gets an answer once an engine runs."""
        self.program("docker", f'[ "$1" = context ] && echo {endpoint} || [ -e {self.running} ]', package)

    def has_docker_engine(self, start: str = "", package: str = "") -> None:
        """An engine that isn't running; ``start`` is what happens when it is started, by whoever starts services here."""
        for name in ("systemctl", "service"):
            self.program(name, start or f"touch {self.running}", package)
        # An engine that was started goes on after it has begun to answer.
        self.program("dockerd", start or f"touch {self.running}; sleep 2", package)

    def has_apt(self, packages: str = "", fault: str = "") -> None:
        copy = f'[ ! -d {self.folder}/packages/"$word" ] || cp {self.folder}/packages/"$word"/* {self.tools}'
        self.program("apt-get", fault or f"for word; do {copy}; done")
        self.program("dpkg-query", f"printf '{packages}'")

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.tools),
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder),
            **environment,
        }
        return subprocess.run(
            [script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def setup_docker(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(PROJECT / "bin" / "setup-docker"), **environment)

    def called(self, name: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_engine_that_answers_is_left_as_it_is(machine: Machine) -> None:
    machine.is_root()
    machine.has_docker_client()
    machine.has_apt()
    machine.running.touch()
    assert machine.setup_docker().returncode == 0
    assert machine.called("apt-get") == []


def test_a_remote_daemon_is_left_to_the_suite(machine: Machine) -> None:
    machine.is_root()
    machine.has_apt()
    machine.has_docker_client()
    assert machine.setup_docker(DOCKER_HOST="tcp://203.0.113.7:2375").returncode == 0
    machine.has_docker_client(endpoint="ssh://root@203.0.113.7")
    assert machine.setup_docker().returncode == 0
    assert machine.called("apt-get") == []


def test_without_apt_the_sentence_says_where_to_get_docker(machine: Machine) -> None:
    machine.is_root()
    ended = machine.setup_docker()
    assert ended.returncode == 6
    assert (
        "Docker Engine is needed: install it as https://docs.docker.com/engine/install/ says" in ended.stderr
    )


def test_a_user_who_is_not_root_is_told_so(machine: Machine) -> None:
    machine.has_apt()
    ended = machine.setup_docker()
    assert ended.returncode == 6
    assert "As root on Debian or Ubuntu this command installs it itself" in ended.stderr
    assert machine.called("apt-get") == []


@pytest.mark.parametrize("package", ["docker-ce-cli", "docker.io", "podman-docker"])
def test_a_part_of_docker_is_not_mixed_with_the_distribution_s(machine: Machine, package: str) -> None:
    machine.is_root()
    machine.has_apt(packages=f"ii  {package}\\nun  moby-engine\\n")
    ended = machine.setup_docker()
    assert ended.returncode == 6
    assert f"A part of Docker is installed ({package}) without its engine" in ended.stderr
    assert machine.called("apt-get") == []


@pytest.mark.parametrize("client_from", ["", "docker.io", "docker-cli"])
def test_root_gets_the_distribution_s_engine_and_it_is_started(machine: Machine, client_from: str) -> None:
    """The client may be there without a package, come with the engine, or have a package of its own."""
    machine.is_root()
    machine.has_apt(packages="un  docker-ce\\n")
    machine.has_docker_client(package=client_from)
    machine.has_docker_engine(package="docker.io")
    ended = machine.setup_docker()
    assert (ended.returncode, machine.running.exists()) == (0, True), ended.stderr
    installed = [
        call.split("--no-install-recommends ")[1] for call in machine.called("apt-get") if "install " in call
    ]
    assert installed == ["docker.io iptables", "docker-cli"][: 2 if client_from == "docker-cli" else 1]


def test_packages_that_can_not_be_had_are_one_sentence(machine: Machine) -> None:
    machine.is_root()
    machine.has_apt(fault="echo 'E: Unable to fetch some archives'; exit 100")
    ended = machine.setup_docker()
    assert ended.returncode == 6
    assert "E: Unable to fetch some archives" in ended.stderr
    assert "apt-get could not install docker.io iptables" in ended.stderr


def test_an_engine_that_is_installed_is_started_by_root(machine: Machine) -> None:
    machine.is_root()
    machine.has_docker_client()
    machine.has_docker_engine()
    assert machine.setup_docker().returncode == 0
    assert machine.running.exists()


def test_an_engine_that_is_installed_is_not_started_by_others(machine: Machine) -> None:
    machine.has_docker_client()
    machine.has_docker_engine()
    ended = machine.setup_docker()
    # Where an engine runs on the machine of this test, its socket may be closed to the user who runs it.
    assert ended.returncode == 6
    assert "sudo systemctl start docker" in ended.stderr or "may not use it" in ended.stderr
    assert not machine.running.exists()


def test_an_engine_that_does_not_start_is_named_with_its_last_words(machine: Machine) -> None:
    machine.is_root()
    machine.has_docker_client()
    machine.has_docker_engine(start="echo 'failed to start daemon: no cgroups' >&2; exit 1")
    ended = machine.setup_docker()
    assert ended.returncode == 6
    assert "failed to start daemon: no cgroups" in ended.stderr


def clone(folder: Path, *paths: str) -> Path:
    """The parts of the project that a script needs, in a place where it may write."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (PROJECT / path).is_dir() else shutil.copy
        copy(PROJECT / path, folder / path)
    return folder


def test_python_packages_are_installed_once_for_each_change(machine: Machine) -> None:
    project = clone(machine.folder / "clone", "bin")
    requirements, stamp = project / "requirements.txt", project / ".venv" / "packages"

    def setup() -> subprocess.CompletedProcess[str]:
        return machine.run(str(project / "bin" / "setup-python"), PIP_NO_INDEX="1")

    requirements.write_text("# nothing\n")
    assert "Installing into .venv" in setup().stderr
    assert setup().stderr == ""
    assert stamp.exists()

    requirements.write_text("no-such-package-anywhere==1\n")
    failed = setup()
    assert failed.returncode == 6
    assert "no-such-package-anywhere" in failed.stderr
    assert "could not be installed (see above): look at the network" in failed.stderr
    assert not stamp.exists(), "a half-made .venv must not pass for a whole one"

    requirements.write_text("# nothing again\n")
    assert setup().returncode == 0
    moved = project.rename(machine.folder / "moved")
    assert (
        "Installing into .venv" in machine.run(str(moved / "bin" / "setup-python"), PIP_NO_INDEX="1").stderr
    )


def test_no_python_is_started_where_nothing_has_changed(machine: Machine) -> None:
    project = clone(machine.folder / "clone", "bin")
    (project / "requirements.txt").write_text("# nothing\n")
    (machine.tools / "python3").unlink()
    machine.program("python3", f'exec {Path(sys.executable).resolve()} "$@"')
    script = str(project / "bin" / "setup-python")
    assert machine.run(script, PIP_NO_INDEX="1").returncode == 0
    assert machine.called("python3") != []

    machine.calls.unlink()
    assert machine.run(script).returncode == 0
    assert machine.called("python3") == []
    # Which Python somebody names may be another one than that of .venv.
    assert machine.run(script, PYTHON="python3").returncode == 0
    assert machine.called("python3") != []


def test_an_old_python_is_refused(machine: Machine) -> None:
    machine.program("old-python", "exit 1")
    ended = machine.run(str(PROJECT / "bin" / "setup-python"), PYTHON="old-python")
    assert ended.returncode == 6
    assert ended.stderr.startswith("Python 3.11 or later is needed and old-python isn't one")


@pytest.mark.parametrize(
    ("recipe", "code", "last"),
    [
        ("echo '2 passed'; echo 0 >$$STATUS_FILE", 0, "2 passed"),
        ("echo '1 failed'; echo 1 >$$STATUS_FILE; exit 1", 1, "1 failed"),
        ("echo 'no engine' >&2; exit 6", 2, "no engine"),
    ],
)
def test_ci_ends_with_the_summary_and_the_exit_code_of_the_tests(
    machine: Machine, recipe: str, code: int, last: str
) -> None:
    project = clone(machine.folder / "clone", ".ci/run")
    (project / "Makefile").write_text(f"test:\n\t@{recipe}\n")
    command = [str(project / ".ci" / "run")]
    environment = {**os.environ, "PATH": str(machine.tools)}
    ended = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (code, last)


def test_ci_shows_errors_before_the_summary_also_in_a_file(machine: Machine) -> None:
    project, log = clone(machine.folder / "clone", ".ci/run"), machine.folder / "log"
    is_there = f"n=0; until grep -q warned {log} || [ $$n = 2000 ]; do n=$$((n+1)); done"
    (project / "Makefile").write_text(
        f"test:\n\t@echo warned >&2; {is_there}; echo '2 passed'; echo 0 >$$STATUS_FILE\n"
    )
    with log.open("w") as output:
        subprocess.run(
            [str(project / ".ci" / "run")],
            env={**os.environ, "PATH": str(machine.tools)},
            stdout=output,
            stderr=output,
            timeout=PATIENCE,
            check=True,
        )
    assert log.read_text().splitlines() == ["warned", "2 passed"]
