"""Files that a compose file makes Compose read, and whose contents would reach containers although they are not its own."""

from __future__ import annotations

from pathlib import Path

from lago_acceptance.composefile.bounded_files import (
    ENVIRONMENT_CAP,
    project_of,
    read_regular,
    unread_because,
)
from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.env_files import interpolation_variables
from lago_acceptance.composefile.named_files import NamedFiles, Scope
from lago_acceptance.composefile.yaml_lines import SIZE_CAP, Unusable, documents
from lago_acceptance.core.verdicts import UsageError

_BECAUSE = {
    "address": "which would be fetched: put a copy into the project",
    "outside": "which is not in its project {project}: move it there, or name it with --allow-mount",
    "special": "which is not a regular file: name a file of the project",
}


def beside(file: Path) -> Path | None:
    """The .env beside a compose file, if there is one. UsageError if it is not the project's own."""
    found, project = file.parent / ".env", project_of(file.parent)
    if not found.exists():
        return None
    if why := unread_because(found, project):
        raise UsageError(f"{found} points to a file {_BECAUSE[why].format(project=project)}")
    return found


def refuse(project: Project, allowed: tuple[Path, ...]) -> None:
    """UsageError if the files of a project include, extend or read what is not the project's own.

    Nothing outside of it is opened to find that out. ``allowed`` are paths that may be read nevertheless.
    """
    file = project.files[0]
    if not file.is_file():
        return
    folder = project_of(file.parent)
    named = NamedFiles(folder)
    try:
        texts = {
            path: read_regular(path, ENVIRONMENT_CAP, f"the environment file {path.name}").decode(
                "utf-8", "replace"
            )
            for path in project.env_files
        }
        nodes = (node for each in documents(read_regular(file, SIZE_CAP, "it")) for node in each.nodes)
        named.add(nodes, Scope(file.parent, {**interpolation_variables(texts), **project.variables}))
    except Unusable as error:
        raise UsageError(f"Compose can't read {file}: {error}") from error
    for each in named.unread:
        if each.why == "outside" and any(
            Path(file.parent, each.named).resolve().is_relative_to(path.resolve()) for path in allowed
        ):
            continue
        raise UsageError(
            f"{file}: {each.key} names {each.named}, {_BECAUSE[each.why].format(project=folder)}"
        )
