"""This package as its users get it: a wheel, installed into an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

DEADLINE = 300
# As cron starts a command: no HOME, no TERM, no virtual environment on the PATH.
CRON = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder as cron would."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        env={**CRON, **environment},
    )


def checkout(folder: Path) -> Path:
    """A copy of what git tracks, or would track, of this checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def wheel(source: Path, folder: Path) -> Path:
    """The wheel of a checkout, built into a folder."""
    _pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    [built] = folder.glob("*.whl")
    return built


def environment(folder: Path, built: Path, extra: str = "") -> Path:
    """The folder of programs of an environment that holds a wheel, with an extra, and what it depends on."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=DEADLINE)
    _pip(folder / "bin" / "python", "install", f"lago-acceptance[{extra}] @ {built.as_uri()}")
    return folder / "bin"


def _pip(python: Path, *arguments: str) -> None:
    ended = subprocess.run(
        [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
