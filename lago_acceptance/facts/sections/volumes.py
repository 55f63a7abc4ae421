"""Docker's volumes."""

from __future__ import annotations

from lago_acceptance.facts.sections import section


@section("volumes", shell="docker volume ls --format '{{.Name}}'")
def volumes(text: str) -> tuple[str, ...]:
    """The names of all Docker volumes of the host."""
    return tuple(text.split())
