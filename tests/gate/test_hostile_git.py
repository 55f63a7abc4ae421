"""git is asked about the repositories of strangers: nothing that their configuration names is run, and nothing is fetched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.core.resources import ROOT
from tests.support import edits
from tests.support.listener import Listener
from tests.support.patience import PATIENCE

GATE = str(Path(sys.executable).with_name("lago-gate"))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def judged(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATE, "--reports", "", *arguments, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a compose file and its environment file, each committed twice."""
    path = edits.write(tmp_path / "a", "shared", ())
    path.with_name(".env").write_text("ONE=1\n", "utf-8")
    git(path.parent, "init", "-q")
    git(path.parent, "add", "-A")
    git(path.parent, "commit", "-q", "-m", "first")
    path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
    git(path.parent, "commit", "-q", "-a", "-m", "second")
    return path


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that leaves a file beside itself called ``ran``."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n: > {tmp_path / 'ran'}\n")
    path.chmod(0o755)
    return path


def test_no_program_of_the_configuration_runs(repository, program):
    for name in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "diff.external", "gpg.program",
        "pager.show", "diff.secret.textconv", "filter.secret.clean", "filter.secret.smudge", "credential.helper",
    ):  # fmt: skip
        git(repository.parent, "config", name, str(program))
    git(repository.parent, "config", "core.hooksPath", str(program.parent))
    git(repository.parent, "config", "log.showSignature", "true")
    repository.with_name(".gitattributes").write_text("* diff=secret filter=secret\n", "utf-8")
    ended = judged(repository, "--base", "HEAD~1")
    assert not program.with_name("ran").exists()
    assert "not compared" not in ended.stdout and ended.returncode in (0, 1), ended.stdout + ended.stderr


def test_a_folder_that_looks_like_a_repository_is_none(repository, program):
    inside = repository.parent / "inside"
    git(repository.parent, "init", "-q", "--bare", str(inside))
    git(inside, "config", "core.bare", "false")
    git(inside, "config", "core.worktree", str(inside))
    git(inside, "config", "core.fsmonitor", str(program))
    path = edits.write(inside, "shared", ())
    path.with_name(".env").write_text("ONE=1\n", "utf-8")
    ended = judged(path, "--base", "HEAD")
    assert not program.with_name("ran").exists() and ended.returncode == 4, ended.stdout + ended.stderr


def test_an_object_that_a_partial_clone_lacks_is_not_fetched(repository):
    folder, listening = repository.parent, Listener()
    lacking = git(folder, "rev-parse", f"HEAD~1:{repository.name}").strip()
    (folder / ".git" / "objects" / lacking[:2] / lacking[2:]).unlink()
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"git://127.0.0.1:{listening.port}/a.git",
    }.items():
        git(folder, "config", name, value)
    ended = judged(repository, "--base", "HEAD~1")
    listening.close()
    assert listening.heard == [] and "not compared" in ended.stdout, ended.stdout + ended.stderr


@pytest.mark.parametrize("base", ["--upload-pack=touch", "-x", "--all"])
def test_a_base_that_git_would_take_for_an_option_is_refused(base, repository):
    ended = judged(repository, f"--base={base}")
    assert ended.returncode == 4 and base in ended.stderr and "Traceback" not in ended.stderr
