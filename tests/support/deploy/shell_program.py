"""The shell of a rehearsal, without Docker."""

from __future__ import annotations

import os
import shlex
import subprocess
from importlib.resources import files
from pathlib import Path

from tests.support.patience import PATIENCE

SHELL = files("lago_acceptance.deploy") / "shell"
# Prints what it is asked, a word on each line, and answers what the shell needs to go on.
DOCKER = """#!/bin/sh
printf '%s\\n' "$@" -- >>"$CALLS"
case $1 in
    ps) echo c0ffee ;;
    exec) cat >/dev/null; [ "$3" != curl ] || echo 200 ;;
esac
"""


class Program:
    """The shell of a rehearsal in a folder of its own, with a Docker that only writes down what it is asked."""

    def __init__(self, folder: Path):
        self.here = folder / "here"
        self.here.mkdir()
        self.calls = folder / "calls"
        programs = folder / "bin"
        programs.mkdir()
        (programs / "docker").write_text(DOCKER)
        (programs / "docker").chmod(0o755)
        self.path = f"{programs}:{os.environ['PATH']}"
        self.settings = {
            "here": str(self.here),
            "project": "lago-acceptance-rehearsal-1",
            "directory": str(folder),
            "database": "lago",
            "dump": str(folder / "database.dump"),
            "db_image": "postgres:14-alpine",
            "redis_image": "redis:7-alpine",
            "lago_image": "getlago/api:v1.16.0",
            "running_api": "",
            "production": "",
            "lago_environment": "DATABASE_URL=postgresql://lago:old@lago-db:5432/lago",
            "lago_mounts": "/srv/my key.pem\t/run/lago/key.pem",
            "api_service": "lago-api",
            "db_service": "lago-db",
            "redis_service": "lago-redis",
            "worker_services": "",
        }
        (folder / "database.dump").write_bytes(b"PGDMP")

    def run(self, function: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        """How a function of the shell ends, and what it prints."""
        parts = "".join(each.read_text() for each in SHELL.iterdir() if each.name.endswith(".part.sh"))
        given = "".join(f"{name}={shlex.quote(value)}\n" for name, value in self.settings.items())
        say = 'tab="\t"\nsay() { printf "%s\\n" "$*"; }\nfail() { say "$*"; exit 1; }\n'
        return subprocess.run(
            [*shell.split(), "-c", f"set -eu\n{given}{say}{parts}\n{function}"],
            capture_output=True,
            text=True,
            env={"PATH": self.path, "CALLS": str(self.calls), "LC_ALL": "C"},
            timeout=PATIENCE,
            check=False,
        )

    @property
    def asked(self) -> list[list[str]]:
        """The commands that Docker was given."""
        return [
            each.strip("\n").split("\n") for each in self.calls.read_text().split("\n--\n") if each.strip()
        ]
