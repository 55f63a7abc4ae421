"""Rules about the compose file itself, before interpolation and merging."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.source import ComposeSource
from lago_acceptance.rules import Violation, rule


@rule(phase=0, declared_only=True)
def compose_interpolation_error(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose can interpolate the file.

    Each dollar sign starts a variable or is doubled ($$), and every required variable (${NAME:?}) is set.
    """
    if model.source and re.search(r"interpolat|required variable", model.source.compose_error):
        yield Violation(
            at=model.source.error_at,
            problem=model.source.compose_error,
            impact="Compose stops before anything starts",
            fix="double each $ that doesn't start a variable ($$), and set every variable that ${NAME:?} "
            "requires",
        )


@rule(phase=0, declared_only=True)
def compose_invalid(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose accepts the file."""
    source = model.source
    if (
        source
        and source.compose_error
        and not re.search(r"interpolat|required variable", source.compose_error)
    ):
        severity, impact, fix = _what_to_do(source)
        yield Violation(
            at=source.error_at, severity=severity, problem=source.compose_error, impact=impact, fix=fix
        )


def _what_to_do(source: ComposeSource) -> tuple[Severity | None, str, str]:
    """The severity, impact and fix where a file can't be judged."""
    error, check = source.compose_error, "run `docker compose config -q` and correct what it reports"
    if error.startswith("this is a template"):
        return (
            Severity.WARNING,
            "it was not judged: its variables are filled in where it is deployed",
            "judge what the platform made of it, on its host: lago-acceptance live ssh://root@HOST",
        )
    if error.startswith("this is not YAML"):
        return (
            None,
            "the file could not be judged, and Compose most likely stops as well",
            "correct that line: a value with a colon and a space, or with a space and # in it, needs quotes",
        )
    if re.search(r"undefined (network|volume|service|config|secret)|depends on undefined", error):
        return (
            None,
            "Compose stops before anything starts",
            "declare it in this file; if this file is laid over another one, judge both: lago-gate -f <the other file> "
            f"-f {basename(source.path)}",
        )
    if source.document:
        return None, "Compose stops before anything starts", check
    return (
        None,
        "the file could not be judged, and Compose most likely stops as well",
        f"{check}; keep the file and its environment files to a normal size",
    )


@rule(phase=0, declared_only=True, severity=Severity.WARNING)
def compose_fragment(model: Model, settings: Settings) -> Iterator[Violation]:
    """The file is whole, or it is judged together with the file that it is laid over.

    A file whose services have neither an image nor a build only changes another one. The gate judges both with
    --overlay, or with `-f` for each as Compose does; COMPOSE_FILE in the .env beside it is read, too.
    """
    source = model.source
    if source and source.parts:
        yield Violation(
            at=("services", source.parts[0]),
            problem=f"it is only a part: {', '.join(source.parts)} {'has' if len(source.parts) == 1 else 'have'} "
            "neither an image nor a build",
            impact="it was not judged: what it changes shows only together with the file that it is laid over",
            fix=f"run lago-gate -f <the whole file> -f {basename(source.path)}",
        )


def _set_twice(model: Model, key: str) -> Iterator[tuple[Service | None, tuple[str | int, ...]]]:
    """The names that are set twice below one key of a service, by service and YAML path."""
    for path in model.source.repeated if model.source else ():
        if len(path) > 3 and path[0] == "services" and path[2] == key:
            yield next((each for each in model.services if each.name == path[1]), None), path


@rule(phase=3, declared_only=True)
def duplicate_label(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each label is set once.

    Of two labels with the same name only the last one counts.
    """
    for service, path in _set_twice(model, "labels"):
        yield Violation(
            service=service,
            at=path,
            problem=f"the label {path[3]} is set twice",
            impact="one of the two has no effect: an unexpected router or port, or a file that Compose rejects",
            fix="remove one of them",
        )


@rule(phase=0, declared_only=True, severity=Severity.WARNING)
def duplicate_variable(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each variable of a service is set once."""
    for service, path in _set_twice(model, "environment"):
        yield Violation(
            service=service,
            at=path,
            problem=f"{path[3]} is set twice",
            impact="the last one wins silently",
            fix="remove one of them",
        )
