"""The gate beside git: what runs is a branch's merge base, what is tracked is public, CI and pre-commit call it so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lago_acceptance.core.resources import ROOT
from tests.support import edits, installed
from tests.support.gate import found, gate
from tests.support.material import material
from tests.support.patience import PATIENCE

IDENTITY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")
RENAMED = ("name: lago\\n => name: billing\\n",)
WORKFLOW = ROOT / ".github" / "workflows" / "compose-change.yml"


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; what it prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *IDENTITY, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=inherited,
    ).stdout


def commit(folder: Path, words: str) -> str:
    """Commit everything in a folder; the commit's name."""
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", words)
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the shipped file on main, and the branch `change` checked out."""
    folder = tmp_path / "repository"
    edits.write(folder, "lago")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "what runs")
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


@pytest.mark.parametrize("base", ["main", "HEAD", "origin/main"])
def test_a_branch_is_compared_at_its_merge_base(base, repository, tmp_path):
    git(repository, "remote", "add", "origin", str(repository))
    git(repository, "fetch", "--quiet", "origin")
    path = edits.write(repository, "lago", RENAMED)
    ended = gate(tmp_path, path, "--base", base)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert {each["rule"] for each in found(tmp_path)} == {"project-renamed", "volume-moved"}


def test_what_main_changed_since_is_not_held_against_a_branch(repository, tmp_path):
    git(repository, "checkout", "--quiet", "main")
    edits.write(repository, "lago", RENAMED)
    commit(repository, "main goes on")
    git(repository, "checkout", "--quiet", "change")
    ended = gate(tmp_path, repository / "docker-compose.yml", "--base", "main")
    assert ended.returncode == 0 and found(tmp_path) == [], ended.stdout


def test_a_file_that_is_new_since_the_base_is_judged_by_itself(repository, tmp_path):
    path = edits.write(repository / "second", "list")
    ended = gate(
        tmp_path,
        path,
        repository / "docker-compose.yml",
        "--base",
        "main",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{path}: not compared, because it did not exist yet at main" in ended.stdout


def _tracked(repository: Path, name: str, text: str, edit: str) -> Path:
    path = edits.write(repository, "list", (edit,))
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text(text, "utf-8")
    return path


TRACKED = {
    "secret-committed": (
        ".env.prod",
        "NANGO_TOKEN=@HEX@\n",
        "@api restart: always => restart: always\\n    env_file: .env.prod",
    ),
    "rsa-pem-committed": (
        "keys/rsa.pem",
        "@PEM@",
        "- files:/app/storage => - files:/app/storage\\n      - ./keys/rsa.pem:/run/keys/rsa.pem:ro",
    ),
}


@pytest.mark.parametrize("rule", TRACKED)
def test_a_secret_file_is_reported_where_git_has_it(rule, repository, tmp_path):
    name, text, edit = TRACKED[rule]
    made = material()
    text = text.replace("@HEX@", made["HEX"]).replace("@PEM@", made["PEM"])
    path = _tracked(repository, name, text, edit)
    gate(tmp_path, path)
    assert rule not in {each["rule"] for each in found(tmp_path)}
    commit(repository, "with the secret")
    ended = gate(tmp_path, path)
    assert rule in {each["rule"] for each in found(tmp_path)}, ended.stdout
    assert made["HEX"] not in ended.stdout


@pytest.mark.parametrize("line", ["NANGO_TOKEN: @HEX@", "export NANGO_TOKEN = '@HEX@'"])
def test_a_secret_is_found_however_the_file_writes_it(line, repository, tmp_path):
    name, _, edit = TRACKED["secret-committed"]
    path = _tracked(repository, name, line.replace("@HEX@", material()["HEX"]) + "\n", edit)
    commit(repository, "with the secret")
    gate(tmp_path, path)
    assert "secret-committed" in {each["rule"] for each in found(tmp_path)}


def test_a_file_of_the_same_name_elsewhere_in_git_is_no_leak(repository, tmp_path):
    name, text, edit = TRACKED["secret-committed"]
    path = _tracked(repository, name, text.replace("@HEX@", material()["HEX"]), edit)
    (repository / "example").mkdir()
    (repository / "example" / name).write_text("NANGO_TOKEN=\n")
    git(repository, "add", "--force", "example")
    gate(tmp_path, path)
    assert "secret-committed" not in {each["rule"] for each in found(tmp_path)}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """This project as its users get it: a repository with what is in the working tree."""
    folder = installed.checkout(tmp_path_factory.mktemp("project") / "lago-acceptance")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "everything")
    return folder


def _step(name: str) -> str:
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["gate"]["steps"]
    return next(step["run"] for step in steps if step.get("name") == name)


@pytest.mark.parametrize(("edit", "code"), [((), 0), (RENAMED, 1)])
def test_the_step_of_ci_compares_with_the_merge_base(edit, code, project, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(project), str(clone))
    git(clone, "checkout", "--quiet", "-b", "change")
    shutil.copy(
        edits.write(tmp_path / "changed", "lago", edit), clone / "compose" / "docker-compose.lago.yml"
    )
    environment = {
        **os.environ,
        "BASE": "origin/main",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    ended = subprocess.run(
        ["sh", "-ec", _step("May this compose change be merged?")],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert ("project-renamed" in ended.stdout) == bool(edit)
    assert (clone / "reports" / "gate.sarif").is_file()


def test_the_workflow_is_one_that_github_knows():
    command = [
        str(Path(sys.executable).with_name("check-jsonschema")),
        "--builtin-schema",
        "vendor.github-workflows",
        str(WORKFLOW),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def pre_commit(folder: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run pre-commit in a repository."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [str(Path(sys.executable).with_name("pre-commit")), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**inherited, "PRE_COMMIT_HOME": str(home)},
    )


def test_the_hook_definition_is_valid(tmp_path):
    ended = pre_commit(tmp_path, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"), home=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_hook_stops_a_bad_commit_and_lets_a_good_one_pass(project, repository, tmp_path):
    hooks = {
        "repos": [
            {
                "repo": str(project),
                "rev": git(project, "rev-parse", "HEAD").strip(),
                "hooks": [{"id": "lago-gate"}],
            }
        ]
    }
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(hooks), "utf-8")
    edits.write(repository, "lago", ("@lago-worker lago-storage:/app/storage => lago-storage:/app/storage2",))
    git(repository, "add", "--all")
    ended = pre_commit(repository, "run", "lago-gate", home=tmp_path / "pre-commit")
    assert ended.returncode == 1 and "no-storage-volume" in ended.stdout, ended.stdout + ended.stderr
    edits.write(repository, "lago", ("LAGO_ORG_NAME:-Bizoholic => LAGO_ORG_NAME:-Another",))
    git(repository, "add", "--all")
    ended = pre_commit(repository, "run", "lago-gate", home=tmp_path / "pre-commit")
    assert ended.returncode == 0 and "Passed" in ended.stdout, ended.stdout + ended.stderr
