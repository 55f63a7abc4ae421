"""Rules about the file as it was written: what interpolation and merging hide. Nothing of it can be seen in containers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule


@rule("compose-interpolation-error", phase=0, declared_only=True)
def interpolation_error(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose can interpolate the file: each dollar sign is a variable or doubled, each required variable is set."""
    if model.written and re.search(r"interpolat|required variable", model.written.compose_error):
        yield Violation(
            at=model.written.error_at,
            wrong=model.written.compose_error,
            leads_to="Compose stops before anything starts",
            mend="double each dollar sign that is not Compose's ($$), and set what ${NAME:?} asks for",
        )


@rule("compose-invalid", phase=0, declared_only=True)
def invalid(model: Model, settings: Settings) -> Iterator[Violation]:
    """The file is a compose file that Compose takes."""
    if (
        model.written
        and model.written.compose_error
        and not re.search(r"interpolat|required variable", model.written.compose_error)
    ):
        read = bool(model.written.document)
        yield Violation(
            at=model.written.error_at,
            wrong=model.written.compose_error,
            leads_to="Compose stops before anything starts"
            if read
            else "nothing of it could be judged, and as a rule Compose stops, too",
            mend="`docker compose config -q` must be silent"
            + ("" if read else ", and it and its environment files must be of a usual size"),
        )


@rule("duplicate-label", phase=3, declared_only=True)
def duplicate_label(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each label stands once: of two with one name the last wins, unseen."""
    for path in model.written.repeated if model.written else ():
        if len(path) > 3 and path[0] == "services" and path[2] == "labels":
            service = next((each for each in model.services if each.name == path[1]), None)
            yield Violation(
                service=service,
                at=path,
                wrong=f"the label {path[3]} stands twice",
                leads_to="one of the two is not used: a router or a port that nobody expects, or a "
                "file that Compose refuses",
                mend="keep one of them",
            )


@rule("duplicate-variable", phase=0, declared_only=True, severity=Severity.WARNING)
def duplicate_variable(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each variable of a service stands once."""
    for path in model.written.repeated if model.written else ():
        if len(path) > 3 and path[0] == "services" and path[2] == "environment":
            service = next((each for each in model.services if each.name == path[1]), None)
            yield Violation(
                service=service,
                at=path,
                wrong=f"{path[3]} stands twice",
                leads_to="the last one wins, unseen",
                mend="keep one of them",
            )
