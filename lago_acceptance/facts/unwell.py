"""Containers that aren't well, and what is worth knowing of them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.core.roles import MIGRATE
from lago_acceptance.facts.types import Container, Facts


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A container's state as Docker has it. ``why`` says why it isn't well. ``exit_code`` is that of its last end."""

    container: str
    service: str
    role: str
    why: str
    status: str
    health: str
    health_output: str
    exit_code: int
    error: str
    out_of_memory: bool
    restarts: int
    started_at: str
    image: str


def unwell(facts: Facts) -> Iterator[tuple[Container, State]]:
    """The deployment's containers that don't run, restart, are unhealthy, or ran out of memory."""
    for container in facts.containers:
        if why := _why(container):
            yield container, _state(container, why)


def _why(container: Container) -> str:
    if container.out_of_memory:
        return "it ran out of memory"
    if container.restarting:
        return f"it restarts, {container.restarts} times until now"
    if container.status == "paused":
        return "it is paused"
    if not container.running:
        # It runs once and ends.
        finished = container.role == MIGRATE and container.status == "exited" and container.exit_code == 0
        return "" if finished else f"it does not run: {container.status}, exit code {container.exit_code}"
    return "it is unhealthy" if container.health == "unhealthy" else ""


def _state(container: Container, why: str) -> State:
    return State(
        container=container.name,
        service=container.service.name,
        role=container.role or "",
        why=why,
        status=container.status,
        health=container.health or "",
        health_output=container.health_output,
        exit_code=container.exit_code,
        error=container.error,
        out_of_memory=container.out_of_memory,
        restarts=container.restarts,
        started_at=container.started_at,
        image=container.service.image,
    )
