"""What two versions of one deployment have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lago_acceptance.model.deployment import Model, Service


def pairs(old: Model, new: Model, *roles: str) -> Iterator[tuple[Service, Service]]:
    """The services of a role before and after: matched by name, or because there is only one on each side."""
    for role in roles:
        before = {service.name: service for service in old.of_role(role)}
        after = new.of_role(role)
        for service in after:
            if service.name in before:
                yield before[service.name], service
            elif len(before) == len(after) == 1:
                yield next(iter(before.values())), service


def comparable_names(old: Model, new: Model) -> Callable[[str], str]:
    """A function that strips what depends on the compose file's folder from names of files and volumes.

    The two versions are usually read from different folders: paths below the folder become relative, and a
    project name that Compose derives from the folder is removed from volume names.
    """
    sources = [model.source for model in (old, new) if model.source]
    folders = [f"{Path(each.path).resolve().parent}/" for each in sources]
    unnamed = not any("name" in each.document for each in sources)
    prefixes = [*folders, *(f"{model.project}_" for model in (old, new) if unnamed and model.project)]

    def comparable(name: str) -> str:
        return next((name[len(prefix) :] for prefix in prefixes if name.startswith(prefix)), name)

    return comparable
