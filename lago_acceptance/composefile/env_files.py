"""Environment files as Compose reads them: those of interpolation, and the env_file entries of services."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.bounded_files import ENVIRONMENT_CAP, read_regular, unread_because
from lago_acceptance.composefile.cli import Project, Refused, config
from lago_acceptance.composefile.yaml_lines import Unusable
from lago_acceptance.model.interpolation import interpolated

# Portainer writes a stack's variables into it when it deploys.
WRITTEN_BY_PORTAINER = "stack.env"
# All env_file entries of one compose file together.
ENVIRONMENTS_CAP = 2_000_000


class EnvFiles(msgspec.Struct, frozen=True):
    """The env_file entries of a compose file.

    ``by_service`` has the paths of each service, ``texts`` the contents of the files that exist, by path;
    ``missing`` the absent ones that Compose insists on, and ``absent`` all absent ones, as they are written, by service.
    ``raw`` are the paths of those that Compose takes as they are (``format: raw``).
    """

    by_service: dict[str, tuple[str, ...]]
    texts: dict[str, str]
    missing: dict[str, tuple[str, ...]]
    absent: dict[str, tuple[str, ...]]
    raw: frozenset[str] = frozenset()

    @property
    def optional(self) -> dict[str, Any] | None:
        """A compose file that makes the absent files optional; None where all are there."""
        services = {
            name: {"env_file": [{"path": raw, "required": False} for raw in written]}
            for name, written in self.absent.items()
        }
        return {"services": services} if services else None


def env_files_of(
    services: dict[str, Any], directory: Path, project: Path, values: dict[str, str]
) -> EnvFiles:
    """The env_file entries of services as they are written; ``values`` are the variables that their paths may use.

    A file that must not be opened (``unread_because``) counts as absent: what it holds is unknown. Unusable if a file
    can't be read, or is so large that reading it would take seconds.
    """
    by_service: dict[str, tuple[str, ...]] = {}
    texts: dict[str, str] = {}
    missing: dict[str, tuple[str, ...]] = {}
    absent: dict[str, tuple[str, ...]] = {}
    as_they_are: set[str] = set()
    for name, service in services.items():
        listed = service.get("env_file")
        for entry in listed if isinstance(listed, list) else [listed] if listed else []:
            raw = entry.get("path") if isinstance(entry, dict) else entry
            required = not isinstance(entry, dict) or str(entry.get("required", "true")).lower() != "false"
            if not isinstance(raw, str):
                continue
            path = directory / interpolated(raw, values)
            by_service[name] = (*by_service.get(name, ()), str(path))
            if isinstance(entry, dict) and entry.get("format") == "raw":
                as_they_are.add(str(path))
            there = os.path.exists(path) and not path.is_dir()
            if there and not unread_because(path, project):
                if str(path) not in texts:
                    texts[str(path)] = environment_text(path)
                    if sum(map(len, texts.values())) > ENVIRONMENTS_CAP:
                        raise Unusable(
                            f"its environment files have more than {ENVIRONMENTS_CAP / 1e6:.0f} MB"
                        )
                continue
            absent[name] = (*absent.get(name, ()), raw)
            if required and not there and path.name != WRITTEN_BY_PORTAINER:
                missing[name] = (*missing.get(name, ()), raw)
    return EnvFiles(by_service, texts, missing, absent, frozenset(as_they_are))


def environment_text(path: Path) -> str:
    """The text of an environment file; Unusable if it can't be one."""
    if path == Path(os.devnull):
        return ""
    return read_regular(path, ENVIRONMENT_CAP, f"the environment file {path.name}").decode("utf-8", "replace")


def interpolation_variables(texts: dict[Path, str]) -> dict[str, str]:
    """What Compose interpolates with if it is given these environment files; ``texts`` are their contents.

    Where Compose refuses them: what is written in them.
    """
    # Compose is asked once for each content: one --env-file often serves many compose files.
    return _as_compose_reads(tuple(texts), tuple(texts.values())) if texts else {}


@cache
def _as_compose_reads(files: tuple[Path, ...], texts: tuple[str, ...]) -> dict[str, str]:
    # `config --environment` says the same in lines of NAME=value, in which the second line of a value may look
    # like a variable, as the last line of a PEM does. The JSON of a service's environment is unambiguous.
    reader = {"image": "none", "env_file": [str(path).replace("$", "$$") for path in files]}
    project = Project(files=(), env_files=(Path(os.devnull),), folder=files[0].parent)
    try:
        document = config(project, override={"services": {"reader": reader}}).document
    except Refused:
        return {name: value for text in texts for name, value in written_variables(text) if name}
    read: dict[str, str | None] = document["services"]["reader"].get("environment") or {}
    return {name: value.replace("$$", "$") for name, value in read.items() if value is not None}


def written_variables(text: str) -> Iterator[tuple[str, str]]:
    """The variables that an environment file writes, as they are written and each time; "" names what has no name.

    For files that Compose refuses, and for secrets that something overrides: neither is in what Compose resolves.
    """
    from dotenv.parser import parse_stream

    # Not dotenv_values: it logs a warning for each line that it can't read, and keeps the last value of a name only.
    for binding in parse_stream(io.StringIO(text.removeprefix("\ufeff"))):
        if not binding.error:
            if binding.key and binding.value is not None:
                yield binding.key, binding.value
            continue
        for line in binding.original.string.splitlines():
            named = re.match(r"\s*(?:export\s+)?([\w.-]+)\s*[:=]\s*(.*)", line)
            name, value = (named[1], named[2]) if named else ("", line)
            yield name, value.strip().strip("\"'")
