"""What Compose leaves out of a model: env_file entries that it did not read, and a command after its first operator."""

from __future__ import annotations

from collections.abc import Callable
from posixpath import basename
from typing import Any

import msgspec

from lago_acceptance.composefile.env_files import EnvFiles, written_variables
from lago_acceptance.core.roles import role_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.shell.words import OPERATORS, split


def with_env_files(model: Model, env_files: EnvFiles, unresolved: bool) -> Model:
    """The model with the variables of env_file entries. Of a missing file it only says that it is missing.

    ``unresolved``: Compose has read none of them.
    """

    def completed(service: Service) -> Service:
        given: dict[str, str | None] = {}
        if unresolved:
            for path in env_files.by_service.get(service.name, ()):
                given.update(
                    (name, value) for name, value in written_variables(env_files.texts.get(path, "")) if name
                )
        names = ", ".join(map(basename, env_files.absent.get(service.name, ())))
        return msgspec.structs.replace(
            service,
            environment={**given, **service.environment},
            environment_elsewhere=f"env_file {names} is not here" if names else "",
        )

    return msgspec.structs.replace(model, services=tuple(map(completed, model.services)))


def with_whole_commands(model: Model, written: dict[str, Any], expanded: Callable[[str], str]) -> Model:
    """The model with the commands that Compose cuts at an operator such as ``&&``, as they are ``written``."""

    def completed(service: Service) -> Service:
        for key in ("command", "entrypoint"):
            text = written.get(service.name, {}).get(key)
            words = split(expanded(text).replace("$$", "$")) if isinstance(text, str) else ()
            if len(words) > len(getattr(service, key)) and any(
                word in OPERATORS or word.endswith(";") for word in words
            ):
                service = msgspec.structs.replace(service, **{key: words})
                role = role_of(service.image, service.full_command, service.labels)
                service = msgspec.structs.replace(service, role=role)
        return service

    return msgspec.structs.replace(model, services=tuple(map(completed, model.services)))
