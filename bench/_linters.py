"""General linters of compose files, each at the version that is named here, in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench._measuring import DEADLINE
from lago_acceptance.core.resources import ROOT, compose_binary

CACHE = ROOT / ".venv" / "bench"
COMPOSE_LINT = "compose-lint==0.36.2"
DCLINT = "dclint@3.1.0"
# Bytes that Compose may take, which a usual file needs a tenth of.
_MEMORY = 1 << 30
# What a linter says about a file: each message as often as it says it, without places.
Said = Counter[str]


class Unavailable(Exception):
    """A linter can't be had here; says why."""


@dataclass(frozen=True)
class Linter:
    """A linter: ``command`` for files, ``messages`` reads what it said of each of them, by path.

    ``many``: it takes any number of files in one call.
    """

    name: str
    command: Callable[[list[Path]], list[str]]
    messages: Callable[[subprocess.CompletedProcess[str], list[Path]], dict[Path, Said]]
    many: bool = True
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, files: list[Path]) -> subprocess.CompletedProcess[str]:
        """One call for files."""
        return subprocess.run(
            self.command(files),
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
            cwd=files[0].parent,
            env={**os.environ, **self.variables},
        )

    def said(self, files: list[Path]) -> dict[Path, Said]:
        """What it says of each file."""
        if self.many:
            return self.messages(self.run(files), files)
        return {path: self.messages(self.run([path]), [path])[path] for path in files}


def _install(command: list[str], made: Path) -> None:
    if made.exists():
        return
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} did not install it: {error}") from error
    if ended.returncode or not made.exists():
        raise Unavailable(
            f"{Path(command[0]).name} could not install it: "
            f"{(ended.stderr.strip().splitlines() or ['no reason given'])[-1][:150]}"
        )


def config(files: list[Path]) -> Linter:
    """``docker-compose config -q``; every variable that the files name has a value, so that it gets to the end."""
    names = {name for path in files for name in re.findall(r"\$\{?([A-Za-z_]\w*)", path.read_text("utf-8"))}

    def messages(ended: subprocess.CompletedProcess[str], paths: list[Path]) -> dict[Path, Said]:
        reasons = re.sub(re.escape(str(paths[0].parent)), "", ended.stderr)
        return {
            paths[0]: Counter(
                line for line in reasons.splitlines() if ended.returncode or "level=warning" in line
            )
        }

    return Linter(
        "docker-compose config -q",
        # One of the planted defects is a device in place of a file, which Compose reads until its memory ends.
        lambda paths: ["prlimit", f"--data={_MEMORY}", compose_binary(), "-f", str(paths[0]), "config", "-q"],
        messages,
        False,
        {name: "1" for name in names - set(os.environ)},
    )


def compose_lint() -> Linter:
    """compose-lint from PyPI."""
    installed = CACHE / COMPOSE_LINT
    _install(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            str(installed),
            COMPOSE_LINT,
        ],
        installed / "compose_lint",
    )

    def messages(ended: subprocess.CompletedProcess[str], paths: list[Path]) -> dict[Path, Said]:
        said: dict[Path, Said] = {path: Counter() for path in paths}
        # It looks into env files too: each compose file has a folder of its own.
        by_folder = {path.parent: path for path in paths}
        for found in json.loads(ended.stdout)["findings"]:
            folder = (paths[0].parent / found["file"]).resolve().parent
            said[by_folder[folder]][f"{found['rule_id']} {found['service']} {found['message']}"] += 1
        return said

    return Linter(
        "compose-lint",
        lambda paths: [sys.executable, "-m", "compose_lint", "--format", "json", *map(str, paths)],
        messages,
        variables={"PYTHONPATH": str(installed)},
    )


def dclint() -> Linter:
    """dclint from npm."""
    npm, folder, answer = shutil.which("npm"), CACHE / DCLINT, "dclint.json"
    if npm is None:
        raise Unavailable("npm is not installed")
    program = folder / "node_modules" / ".bin" / "dclint"
    _install(
        [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", DCLINT], program
    )

    def messages(ended: subprocess.CompletedProcess[str], paths: list[Path]) -> dict[Path, Said]:
        said: dict[Path, Said] = {path: Counter() for path in paths}
        for file in json.loads((paths[0].parent / answer).read_text("utf-8")):
            path = (paths[0].parent / file["filePath"]).resolve()
            said[path] = Counter(f"{found['rule']} {found['message']}" for found in file["messages"])
        return said

    # Into a file: it ends before a pipe has taken more than 64 kB of its answer.
    return Linter(
        "dclint",
        lambda paths: [str(program), "--formatter", "json", "--output-file", answer, *map(str, paths)],
        messages,
    )
