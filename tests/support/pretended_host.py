"""A host whose Docker only pretends: collect.sh runs in this machine's shells and reads a table that a test has written."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.hosts.process import text_of
from tests.support.patience import PATIENCE

SHELLS = ["dash", "bash", "busybox sh"]
# For many cases of the same few lines: the shell and tools that differ most from this machine's own.
ONE_SHELL = pytest.mark.parametrize("host", ["busybox sh"], indirect=True)
APPLETS = [
    "awk",
    "sed",
    "stat",
    "date",
    "cut",
    "tr",
    "head",
    "tail",
    "grep",
    "sort",
    "timeout",
    "df",
    "sha256sum",
    "printf",
    "cat",
    "id",
    "sleep",
    "env",
    "readlink",
    "gzip",
]
# The labels of a row G, in their order.
GROUPING = (
    "io.podman.compose.project",
    "com.docker.stack.namespace",
    "com.docker.swarm.service.name",
    "com.docker.swarm.task.name",
    "coolify.type",
    "io.kubernetes.pod.name",
)
STARTED = "2026-11-24T10:00:00.000000000Z"
PASSWORD = "hunter2pass"
KEY = "a-key-that-stays-on-the-host"
# Whatever may read standard input does: it would swallow the rest of the script. What a container is given is written down.
DOCKER = """#!/bin/sh
given=$(cat)
[ "$1" != exec ] || printf '%s\\n%s %s\\n%s\\n' "$*" "$LAGO_API_KEY" "$REDISCLI_AUTH" "$given" >>{folder}/given
[ "$1" != exec ] || [ ! -e {folder}/exec ] || {{ . {folder}/exec; exit; }}
case "$1 $2" in
    "ps "*) printf 'api1\\ndb1\\n' ;;
    "inspect "*) cat {folder}/table ;;
    "network "*) printf '"bridge"\\n"production_default"\\n' ;;
    "volume "*) echo '"production_pgdata"' ;;
    "image "*) echo 'sha256:1 getlago/api:v1.16.0' ;;
    "logs "*) for id; do :; done; [ ! -e {folder}/log ] || exec cat {folder}/log; echo "2026-11-24T10:00:00.000000000Z hello from $id" ;;
    "exec "*) case "$*" in *" ruby "*) echo '{{"health": "up"}}' ;; *psql*) printf 'directory\\t"/data"\\n' ;; esac ;;
esac
"""
COMPOSE = """#!/bin/sh
cat >/dev/null
echo '{{"name": "production", "services": {{"api": {{"image": "getlago/api:v1.16.0"}}}}}}'
"""


class Shell(Host):
    """A host whose shell gets the script by standard input, and which runs in a folder of its own."""

    name, compose_command = "pretended", ""

    def __init__(self, shell: str, folder: Path):
        self.folder = folder
        self._words = shell.split()
        self.tools = folder / "tools"
        self.tools.mkdir()
        if self._words[0] == "busybox":
            for name in ("sh", *APPLETS):
                (self.tools / name).symlink_to(shutil.which("busybox"))
            (self.tools / "openssl").symlink_to(shutil.which("openssl"))
            self.path = str(self.tools)
        else:
            self.path = f"{self.tools}:/usr/bin:/bin"

    def add(self, rows: list[str]) -> None:
        """More rows for the table of all containers."""
        with (self.folder / "table").open("a") as table:
            table.write("".join(f"{row}\n" for row in rows))

    def program(self, name: str, text: str) -> None:
        """Put a program on the host."""
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def start(self, script: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [shutil.which(self._words[0]), *self._words[1:], "-s"],
            input=script.encode(),
            env={"PATH": self.path, "HOME": str(self.folder)},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def run(self, script: str) -> str:
        ended = self.start(script)
        assert ended.returncode == 0, ended.stderr
        return text_of(ended.stdout)

    def read(self, reading: ReadCommand) -> str:
        return self.run(reading.script())


def row(letter: str, id: str, *values: object, before: str = "") -> str:
    """A row of the table of all containers, as collect.sh's template has Docker print it."""
    written = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values)
    return "\t".join([letter, id, *([before] if before else []), *written])


def rows(
    id: str,
    image: str,
    command: str,
    arguments: Sequence[str] = (),
    *,
    labels: dict[str, str | None] | None = None,
    environment: dict[str, str] | None = None,
    networks: dict[str, list[str]] | None = None,
    log: str = "",
    state: dict | None = None,
) -> list[str]:
    """The rows of one running container of the project "production"; ``networks`` lists its names by network. A label
    that is None isn't there.
    """
    given = {"com.docker.compose.project": "production", "com.docker.compose.service": id, **(labels or {})}
    labels = {name: value for name, value in given.items() if value is not None}
    compose = "com.docker.compose.project"
    named = [labels.get(name) for name in (compose, "lago-acceptance.role", "com.docker.compose.service")]
    places = [labels.get(f"{compose}.{name}") for name in ("working_dir", "config_files", "environment_file")]
    shown = {
        "id": id,
        "name": f"/{id}",
        "image": image,
        "path": command,
        "args": list(arguments),
        "labels": labels,
        "networks": {name: {"Aliases": names} for name, names in (networks or {}).items()},
        "state": {"Status": "running", "Running": True, "StartedAt": STARTED, **(state or {})},
    }
    return [
        row("R", id, *named, image, command, list(arguments), f"/{id}", before="true"),
        row("P", id, *places),
        row("G", id, *(labels.get(name) for name in GROUPING)),
        row("L", id, log, f"/nowhere/containers/{id}/hostname") + "\thealthy",
        *(row("E", id, f"{name}={value}") for name, value in (environment or {}).items()),
        *(row("N", id, name, {"Aliases": names}) for name, names in (networks or {}).items()),
        row("C", id, shown),
    ]


@cache
def _pem() -> bytes:
    """A private key, made at the first call."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def lago_on(host: Shell) -> Shell:
    """A host with an API and a database, their files, a key, logs and dumps."""
    folder = host.folder / "it's lago"
    folder.mkdir()
    (folder / "compose.yml").write_text("services:\n  api:\n")
    (folder / ".env").write_text(f"A=1\nKEY=LS0tLS1CRUdJTi\nB={KEY}\n")
    (folder / ".env").chmod(0o600)
    (folder / "key.pem").write_bytes(_pem())
    (folder / "key.pem").chmod(0o640)
    for name, size in (("api1-json.log", 100), ("api1-json.log.1", 20), ("other.log", 7)):
        (folder / name).write_bytes(b"x" * size)
    for number in range(4):
        (folder / f"{number}.dump").write_bytes(b"x" * number)
        os.utime(folder / f"{number}.dump", (1795000000 + number,) * 2)
    compose = "com.docker.compose.project"
    labels = {
        f"{compose}.working_dir": str(folder),
        f"{compose}.config_files": f"{folder}/compose.yml",
        f"{compose}.environment_file": f"{folder}/.env",
    }
    lines = [
        *rows(
            "api1",
            "getlago/api:v1.16.0",
            "./scripts/start.api.sh",
            labels=labels,
            environment={"LAGO_API_KEY": KEY, "DATABASE_URL": f"postgres://lago:{PASSWORD}@db/lago"},
            networks={"production_default": ["api"]},
            log=str(folder / "api1-json.log"),
        ),
        *rows(
            "db1",
            "postgres:15",
            "docker-entrypoint.sh",
            ["postgres"],
            labels=labels,
            environment={"POSTGRES_PASSWORD": PASSWORD},
        ),
        *(row("M", "api1", f"{folder}/{name}") for name in ("key.pem", "absent.pem")),
    ]
    host.add(lines)
    host.program("docker", DOCKER.format(folder=shlex.quote(str(host.folder))))
    host.program("docker-compose", COMPOSE.format())
    return host
