"""Docker's networks."""

from __future__ import annotations

from lago_acceptance.facts.sections import json_names, section


@section("networks", shell="docker network ls --no-trunc --format '{{json .Name}}'")
def networks(text: str) -> tuple[str, ...]:
    """The names of all Docker networks of the host."""
    return json_names(text)
