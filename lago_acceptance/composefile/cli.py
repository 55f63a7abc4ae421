"""The one module that builds Compose's arguments and asks it what it makes of a file."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.core.resources import compose_binary
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.from_compose import declared

_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A Compose project: its files in order, and the variables that interpolation sees beside its env files.

    Nothing else of the caller's environment reaches Compose, for a variable of the shell silently wins over the
    file's (Compose's precedence), and the file is what is judged.
    """

    name: str
    files: tuple[Path, ...]
    env_files: tuple[Path, ...] = ()
    variables: dict[str, str] = {}

    @property
    def directory(self) -> Path:
        """The folder that relative paths start from."""
        return self.files[0].parent

    def arguments(self, *verb: str) -> list[str]:
        """The whole command for a verb such as ``up --detach``."""
        named = ["--project-name", self.name] if self.name else []
        command = [compose_binary(), *named, "--project-directory", str(self.directory)]
        for path in self.files:
            command += ["--file", str(path)]
        for path in self.env_files:
            command += ["--env-file", str(path)]
        return [*command, *verb]

    def environment(self) -> dict[str, str]:
        """The environment in which Compose runs."""
        docker = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {**inherited, **docker, "COMPOSE_PROGRESS": "plain", "COMPOSE_MENU": "false", **self.variables}

    def with_file(self, path: Path) -> Project:
        """The same project with one file more, which wins over the others."""
        return msgspec.structs.replace(self, files=(*self.files, path))


class Resolved(msgspec.Struct, frozen=True):
    """What Compose makes of a project's files: its document, and its warnings (variables that are not set)."""

    document: dict[str, Any]
    warnings: tuple[str, ...]

    @property
    def model(self) -> Model:
        """The document as a model."""
        return declared(self.document)


def resolve(project: Project, deadline: float = 20.0) -> Resolved:
    """``docker compose config`` of a project. Needs no daemon.

    UsageError with Compose's own reason where it can make nothing of the files.
    """
    for path in (*project.files, *project.env_files):
        if not path.is_file():
            raise UsageError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; a file is needed")
    command = project.arguments("config", "--format", "json")
    try:
        ended = subprocess.run(
            command,
            check=False,
            env=project.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=deadline,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"Compose did not make sense of {project.files[0]} within {deadline:.0f} s"
        ) from error
    said = [line for line in ended.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if ended.returncode != 0:
        from lago_acceptance.composefile.error_messages import without_values

        reasons = [line for line in said if "level=warning" not in line]
        read = [path.read_text("utf-8", "replace") for path in (*project.files, *project.env_files)]
        reason = (
            without_values("\n".join(reasons[-3:]), read)[:400]
            or f"it ended with code {ended.returncode} and gave no reason"
        )
        raise UsageError(f"Compose can't read {project.files[0]}: {reason}")
    made = json.loads(ended.stdout)
    if not made.get("services"):
        raise UsageError(f"{project.files[0]} declares no services")
    return Resolved(made, tuple(redact(line) for line in said if "level=warning" in line))
