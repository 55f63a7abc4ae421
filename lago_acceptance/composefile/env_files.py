"""Environment files: those of interpolation, and the env_file entries of services."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.yaml_lines import Unusable
from lago_acceptance.model.interpolation import expand

# Portainer writes a stack's variables into it when it deploys.
WRITTEN_BY_PORTAINER = "stack.env"
# The kernel starts no program with more than about 2 MB of variables and arguments.
ENVIRONMENT_CAP = 262_144


class EnvFiles(msgspec.Struct, frozen=True):
    """The env_file entries of a file: the paths of each service, the texts of those that are there by path, and what is missing.

    ``missing`` are those that Compose insists on, as they are written, by service.
    """

    by_service: dict[str, tuple[str, ...]]
    texts: dict[str, str]
    missing: dict[str, tuple[str, ...]]

    @property
    def unseen(self) -> frozenset[str]:
        """The services for which some file isn't here, whether it may be absent or not: the host may have it."""
        return frozenset(
            name for name, paths in self.by_service.items() if any(path not in self.texts for path in paths)
        )


def env_files_of(services: dict[str, Any], directory: Path, values: dict[str, str]) -> EnvFiles:
    """The env_file entries of services as they are written; ``values`` are the variables that their paths may name.

    Unusable where an entry can't be read, or is so large that it would have to be read for seconds.
    """
    by_service: dict[str, tuple[str, ...]] = {}
    texts: dict[str, str] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for name, service in services.items():
        listed = service.get("env_file")
        for entry in listed if isinstance(listed, list) else [listed] if listed else []:
            raw = entry.get("path") if isinstance(entry, dict) else entry
            required = not isinstance(entry, dict) or str(entry.get("required", "true")).lower() != "false"
            if not isinstance(raw, str):
                continue
            path = directory / expand(raw, lambda use: values.get(use.name) or use.default or "")
            by_service[name] = (*by_service.get(name, ()), str(path))
            if os.path.exists(path) and not path.is_dir():
                texts[str(path)] = environment_text(path)
            elif required and path.name != WRITTEN_BY_PORTAINER:
                missing[name] = (*missing.get(name, ()), raw)
    return EnvFiles(by_service, texts, missing)


def environment_text(path: Path) -> str:
    """The text of an environment file; Unusable where it can't be one."""
    if path == Path(os.devnull):
        return ""
    if not path.is_file():
        raise Unusable(f"the environment file {path.name} is a pipe, a device or a socket")
    size = path.stat().st_size
    if size > ENVIRONMENT_CAP:
        raise Unusable(
            f"the environment file {path.name} has {size / 1e6:.1f} MB; more than "
            f"{ENVIRONMENT_CAP / 1e6:.2f} MB are not read, for no container starts with 2 MB of variables"
        )
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        # Compose can't read it either, and says why.
        return ""


def variables_of(text: str) -> dict[str, str]:
    """The variables of an environment file, roughly as Compose reads them."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)", line)
        if match:
            value = match[2].strip()
            quoted = len(value) > 1 and value[0] in "\"'" and value[0] == value[-1]
            found[match[1]] = value[1:-1] if quoted else re.sub(r"\s+#.*", "", value)
    return found
