"""Rules about the file as it was written: what interpolation and merging hide. Nothing of it can be seen in containers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule


@rule(phase=0, declared_only=True)
def compose_interpolation_error(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose can interpolate the file: each dollar sign is a variable or doubled, each required variable is set."""
    if model.written and re.search(r"interpolat|required variable", model.written.compose_error):
        yield Violation(
            at=model.written.error_at,
            problem=model.written.compose_error,
            impact="Compose stops before anything starts",
            fix="double each dollar sign that is not Compose's ($$), and set what ${NAME:?} asks for",
        )


@rule(phase=0, declared_only=True)
def compose_invalid(model: Model, settings: Settings) -> Iterator[Violation]:
    """The file is a compose file that Compose takes."""
    if (
        model.written
        and model.written.compose_error
        and not re.search(r"interpolat|required variable", model.written.compose_error)
    ):
        read = bool(model.written.document)
        yield Violation(
            at=model.written.error_at,
            problem=model.written.compose_error,
            impact="Compose stops before anything starts"
            if read
            else "nothing of it could be judged, and as a rule Compose stops, too",
            fix="`docker compose config -q` must be silent"
            + ("" if read else ", and it and its environment files must be of a usual size"),
        )


@rule(phase=3, declared_only=True)
def duplicate_label(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each label stands once: of two with one name the last wins, unseen."""
    for path in model.written.repeated if model.written else ():
        if len(path) > 3 and path[0] == "services" and path[2] == "labels":
            service = next((each for each in model.services if each.name == path[1]), None)
            yield Violation(
                service=service,
                at=path,
                problem=f"the label {path[3]} stands twice",
                impact="one of the two is not used: a router or a port that nobody expects, or a "
                "file that Compose refuses",
                fix="keep one of them",
            )


@rule(phase=0, declared_only=True, severity=Severity.WARNING)
def duplicate_variable(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each variable of a service stands once."""
    for path in model.written.repeated if model.written else ():
        if len(path) > 3 and path[0] == "services" and path[2] == "environment":
            service = next((each for each in model.services if each.name == path[1]), None)
            yield Violation(
                service=service,
                at=path,
                problem=f"{path[3]} stands twice",
                impact="the last one wins, unseen",
                fix="keep one of them",
            )
