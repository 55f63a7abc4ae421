"""The recipes of docs/adding-a-check.md: each diff applies, and the command below it finds its tests."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

RECIPES = (ROOT / "docs" / "adding-a-check.md").read_text("utf-8")
COMMANDS = re.findall(r"^    pytest (.*)$", RECIPES, re.MULTILINE)
LEFT_OUT = (
    ".venv",
    ".git",
    "site",
    "reports",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
)


def run(*words: str, folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, input=given, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Path:
    """A copy of the project in which all recipes were followed."""
    copy = tmp_path_factory.mktemp("recipes") / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for diff in re.findall(r"^```diff\n(.*?)^```$", RECIPES, re.MULTILINE | re.DOTALL):
        applied = run("git", "apply", "--recount", "-", folder=copy, given=diff)
        assert applied.returncode == 0, f"{applied.stderr}\n{diff[:400]}"
    return copy


def test_each_recipe_has_a_command():
    assert len(COMMANDS) == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_of_a_recipe_finds_its_tests(command, followed):
    ended = run(
        sys.executable, "-m", "pytest", *shlex.split(command), "-q", "--collect-only", folder=followed
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]


def test_the_check_of_the_recipe_passes_its_tests(followed):
    command = "-c tests/pytest.ini --rootdir tests tests/unit/checks/test_redis.py -q"
    ended = run(sys.executable, "-m", "pytest", *command.split(), folder=followed)
    assert "4 passed" in ended.stdout, ended.stdout[-3000:] + ended.stderr[-2000:]
