"""Compose starts a stack in the environment in which its files are judged: it has nothing of the caller's."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile import isolation
from lago_acceptance.composefile.cli import Project, config
from lago_acceptance.core.permit import Permit
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.targets.stack.compose_runner import RunCompose

VARIABLES = (
    "LAGO_API_KEY",
    "COMPOSE_FILE",
    "COMPOSE_PROFILES",
    "HOME",
    "PATH",
    "DOCKER_PASSWORD",
    "DOCKER_CONFIG",
)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """A project whose interpolation tells of every variable of the caller's that it sees."""
    for name in VARIABLES:
        if name != "PATH":
            monkeypatch.setenv(name, "of-the-caller")
    file = tmp_path / "compose.yml"
    seen = ", ".join(f"{name}: '${{{name}:-unset}}'" for name in (*VARIABLES, "OF_THE_DEPLOY"))
    file.write_text(f"services: {{a: {{image: i, environment: {{{seen}}}}}}}")
    return Project(name="x", files=(file,), variables={"OF_THE_DEPLOY": "1"})


@pytest.fixture
def started(project, tmp_path, monkeypatch) -> dict[str, str]:
    """The environment that Compose has when the stack is started."""
    program = tmp_path / "docker-compose"
    program.write_text("#!/bin/sh\nexec /usr/bin/env\n")
    program.chmod(0o755)
    monkeypatch.setattr("lago_acceptance.composefile.cli.compose_binary", lambda: str(program))
    output = RunCompose(project, LocalHost(), Permit("test"), 30).run("up").output
    # The shell adds its own.
    lines = (line.partition("=") for line in output.splitlines())
    return {name: value for name, _, value in lines if name not in ("PWD", "OLDPWD", "_", "SHLVL")}


def test_nothing_of_the_callers_environment_reaches_the_services(project):
    found = config(project).document["services"]["a"]["environment"]
    assert (
        "of-the-caller" not in found.values() and found["OF_THE_DEPLOY"] == "1" and found["PATH"] == "unset"
    )


def test_what_is_started_is_what_was_judged(started):
    assert started == {**isolation.ENVIRONMENT, "OF_THE_DEPLOY": "1"}
    assert started["COMPOSE_EXPERIMENTAL_GIT_REMOTE"] == "false"
