"""What Compose gets when it starts a stack: the deploy's own variables, and no address to fetch from."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.permit import Permit
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.targets.stack.compose_runner import RunCompose


@pytest.fixture
def said(tmp_path, monkeypatch) -> str:
    """What a Compose that prints its environment says when a stack is started."""
    program = tmp_path / "docker-compose"
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(0o755)
    monkeypatch.setattr("lago_acceptance.composefile.cli.compose_binary", lambda: str(program))
    monkeypatch.setenv("LAGO_API_KEY", "of-the-caller")
    monkeypatch.setenv("COMPOSE_FILE", "of-the-caller")
    monkeypatch.setenv("COMPOSE_PROFILES", "of-the-caller")
    file = Path(tmp_path, "compose.yml")
    file.write_text("services: {a: {image: i}}")
    project = Project(name="x", files=(file,), variables={"OF_THE_DEPLOY": "1"})
    return RunCompose(project, LocalHost(), Permit("test"), 30).run("up").output


def test_nothing_of_the_callers_environment_reaches_the_services(said):
    assert "OF_THE_DEPLOY=1" in said and "of-the-caller" not in said


def test_nothing_is_fetched(said):
    assert "COMPOSE_EXPERIMENTAL_GIT_REMOTE=false" in said and "COMPOSE_EXPERIMENTAL_OCI_REMOTE=false" in said
