"""The Compose projects of the host that have Lago in them. scripts/plan.awk finds them."""

from __future__ import annotations

from lago_acceptance.facts.sections import section


@section("lagos", shell="printf '%s\\n' \"$lagos\"")
def lagos(text: str) -> dict[str, str]:
    """All projects that have Lago in them, with the folder that each was started in ("" where it is unknown)."""
    lines = (line.partition("\t") for line in text.splitlines())
    return {project: folder for project, _, folder in lines if project}


@section("project", shell="printf '%s\\n' \"$project\"")
def project(text: str) -> str:
    """The project that these facts are about, "" where the host has none or several."""
    return text.strip()
