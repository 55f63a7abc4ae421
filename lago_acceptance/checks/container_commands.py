"""Commands about one container, with the names and files of its own deployment."""

from __future__ import annotations

import shlex

from lago_acceptance.facts.types import Container
from lago_acceptance.model.from_docker import PROJECT_LABEL

_DIRECTORY, _FILES, _ENV_FILES = (
    f"{PROJECT_LABEL}.{name}" for name in ("working_dir", "config_files", "environment_file")
)


def logs(container: Container, lines: int = 100) -> str:
    """Prints the last lines of its log."""
    return f"docker logs --timestamps --tail {lines} {container.name}"


def start(container: Container) -> str:
    """Starts it again as it is."""
    return f"docker start {container.name}"


def recreate(container: Container) -> str:
    """Brings it up as its compose file declares it; starts it where no compose file is known."""
    labels = container.service.labels
    if not container.project or not labels.get(_FILES):
        return start(container)
    directory = labels.get(_DIRECTORY, "")
    words = ["docker", "compose", "-p", container.project]
    for file in labels[_FILES].split(","):
        words += ["-f", file if file.startswith("/") or not directory else f"{directory}/{file}"]
    for file in filter(None, labels.get(_ENV_FILES, "").split(",")):
        words += ["--env-file", file]
    return shlex.join([*words, "up", "-d", container.service.name])
