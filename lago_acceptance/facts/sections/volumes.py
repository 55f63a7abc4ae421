"""Docker's volumes."""

from __future__ import annotations

from lago_acceptance.facts.sections import json_names, section


@section("volumes", shell="docker volume ls --format '{{json .Name}}'")
def volumes(text: str) -> tuple[str, ...]:
    """The names of all Docker volumes of the host."""
    return json_names(text)
