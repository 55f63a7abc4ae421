"""What Compose leaves out of a model: env_file entries that it did not read, and a command after its first operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from posixpath import basename
from typing import Any

import msgspec

from lago_acceptance.composefile.env_files import EnvFiles, written_variables
from lago_acceptance.composefile.yaml_lines import YamlPath
from lago_acceptance.core.roles import role_of
from lago_acceptance.core.value_shapes import given_later
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


def with_blanks_unknown(
    model: Model, written: dict[str, Any], blank: Iterable[YamlPath], filled: Callable[[str], str]
) -> Model:
    """The model in which what a variable without a value leaves out of images, labels and commands is unknown.

    The variable itself is reported; that the command lacks an argument, or the image its tag, only follows from it.
    ``blank`` are the paths where such variables are, ``filled`` a text with substitutes for them.
    """
    keys: dict[str, set[str]] = {}
    ports: set[YamlPath] = set()
    for path in blank:
        if path[:1] == ("services",) and len(path) > 2:
            keys.setdefault(str(path[1]), set()).add(str(path[2]))
            ports.add(path[1:4])

    def completed(service: Service) -> Service:
        raw, found = written.get(service.name, {}), keys.get(service.name, set())
        changed: dict[str, Any] = {}
        if "image" in found:
            changed["image"] = filled(str(raw["image"]))
        for key in found & {"command", "entrypoint"}:
            changed[key] = _filled_words(raw[key], filled)
        if "healthcheck" in found and service.healthcheck and "test" in (raw["healthcheck"] or {}):
            test = raw["healthcheck"]["test"]
            words = ("CMD-SHELL", filled(test)) if isinstance(test, str) else _filled_words(test, filled)
            changed["healthcheck"] = msgspec.structs.replace(service.healthcheck, test=words)
        if "ports" in found and len(raw["ports"]) == len(service.ports):
            changed["ports"] = tuple(
                msgspec.structs.replace(port, address=port.address or given_later("address"))
                if (service.name, "ports", number) in ports
                else port
                for number, port in enumerate(service.ports)
            )
        if "environment" in found:
            # An empty value is reported as such; of one that lacks a part, that part is unknown.
            given = {name: filled(text) for name, text in _named(raw.get("environment")) if "$" in text}
            changed["environment"] = {
                name: given.get(name, value) if value else value
                for name, value in service.environment.items()
            }
        if found & {"labels", "deploy"}:
            filled_labels = {
                name: filled(text)
                for labels in ((raw.get("deploy") or {}).get("labels"), raw.get("labels"))
                for name, text in _named(labels)
                if "$" in text
            }
            changed["labels"] = {name: filled_labels.get(name, text) for name, text in service.labels.items()}
        return msgspec.structs.replace(service, **changed)

    return msgspec.structs.replace(model, services=tuple(map(completed, model.services)))


def _filled_words(written: Any, filled: Callable[[str], str]) -> tuple[str, ...]:
    if isinstance(written, str):
        return split(filled(written))
    return tuple(filled(str(word)) for word in written)


def _named(entries: Any) -> Iterator[tuple[str, str]]:
    """Names and texts of labels or variables, written as a mapping or as a list."""
    if isinstance(entries, dict):
        yield from ((str(name), str(text or "")) for name, text in entries.items())
    for entry in entries if isinstance(entries, list) else ():
        name, _, text = str(entry).partition("=")
        yield name, text
