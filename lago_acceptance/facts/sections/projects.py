"""The projects of the host that have Lago in them: Compose's, stacks of Swarm's, and Lago's containers that no such name
holds together, under the name of their API. scripts/plan.awk finds them.
"""

from __future__ import annotations

from lago_acceptance.core.roles import DB, REDIS
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


@section("elsewhere", shell="printf '%s\\n' \"$elsewhere\"")
def elsewhere(text: str) -> dict[str, str]:
    """The stores (db, redis) that are no container of the deployment, each with the id of the container of Lago's that it
    was asked from, "" where none runs.
    """
    lines = (line.partition("\t") for line in text.splitlines())
    return {role: asker for role, _, asker in lines if role in (DB, REDIS)}
