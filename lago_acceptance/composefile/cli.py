"""What Compose is given: a project's files, its arguments and its environment; and what it makes of the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.bounded_process import NotDone
from lago_acceptance.composefile.isolation import ENVIRONMENT, run_isolated
from lago_acceptance.core.resources import compose_binary
from lago_acceptance.core.secrets import redact
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.from_compose import declared

_STANDARD_INPUT = Path("-")


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A Compose project: its files in order, and the variables that interpolation sees besides its env files.

    Nothing else of the caller's environment reaches Compose: a variable of the shell would silently override the
    one in the env file, and the file is what is judged. ``folder`` is where relative paths start, if not beside
    the first file; without a ``name``, Compose derives one.
    """

    name: str = ""
    files: tuple[Path, ...]
    env_files: tuple[Path, ...] = ()
    variables: dict[str, str] = {}
    folder: Path | None = None

    @property
    def directory(self) -> Path:
        """The folder that relative paths start from."""
        return self.folder or self.files[0].parent

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
        """The environment in which Compose brings the project up: the one in which its files are judged.

        A variable that only one of them had would make another deployment of the same files. Docker's endpoint, if it
        is not the default, is among the project's own variables.
        """
        return {**self.variables, **ENVIRONMENT}

    def with_file(self, path: Path) -> Project:
        """The same project with one more file, which overrides the others."""
        return msgspec.structs.replace(self, files=(*self.files, path))


class Resolved(msgspec.Struct, frozen=True):
    """What Compose makes of a project's files: the document, and warnings about variables that are not set."""

    document: dict[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def model(self) -> Model:
        """The document as a model."""
        return declared(self.document)


class Refused(Exception):
    """Compose refuses a project. ``reasons`` are the lines of its error message.

    They may quote any value of the project's files: show them only through ``error_messages.without_values``.
    """

    def __init__(self, *reasons: str):
        super().__init__("Compose refuses the project")
        self.reasons = reasons


def config(project: Project, *flags: str, override: dict[str, Any] | bytes | None = None) -> Resolved:
    """``docker-compose config`` of a project; needs no daemon. Refused if Compose refuses it.

    ``override`` is one more compose file, as data or as YAML; it overrides the others.
    """
    whole = project.with_file(_STANDARD_INPUT) if override is not None else project
    given = (
        override
        if isinstance(override, bytes)
        else b""
        if override is None
        else json.dumps(override).encode()
    )
    try:
        ended = run_isolated(whole.arguments("config", "--format", "json", *flags), project.variables, given)
    except NotDone as error:
        raise Refused(str(error)) from error
    said = [line.strip() for line in ended.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    warnings = [line for line in said if "level=warning" in line]
    if ended.code:
        reasons = [line for line in said if line not in warnings]
        raise Refused(*reasons or [f"exit code {ended.code} without a reason"])
    document = json.loads(ended.stdout)
    if not document.get("services"):
        raise Refused("it declares no services")
    return Resolved(document, tuple(redact(line) for line in warnings))
