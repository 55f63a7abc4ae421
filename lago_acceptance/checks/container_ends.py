"""How a container ended: what its exit code means, who ended it, and when."""

from __future__ import annotations

import signal

from lago_acceptance.core.moments import moment
from lago_acceptance.facts.types import Container, Facts, unix_time

# Docker restarts a container with one of these always, but for one that somebody has stopped.
_ALWAYS = ("always", "unless-stopped")
_KILLED, _TERMINATED = 137, 143
# Exit codes of Docker itself and of shells.
_CODES = {
    125: "Docker could not run it",
    126: "the command is there and can't be executed",
    127: "the command is not in the image",
    128: "Docker could not start it",
    130: "it was interrupted (SIGINT)",
    134: "it broke off by itself (SIGABRT)",
    139: "it crashed (SIGSEGV)",
    _TERMINATED: "it was asked to end (SIGTERM), as docker stop does",
}


def meaning(container: Container, kills: int) -> str:
    """What an exit code means, "" where it says nothing; ``kills`` is how often the kernel has ended a process inside
    for lack of memory.
    """
    code = container.exit_code
    if code == _KILLED and (container.out_of_memory or kills):
        return "the kernel killed it for lack of memory (SIGKILL)"
    if code == _KILLED:
        return (
            "SIGKILL: docker kill, a docker stop that took longer than stop_grace_period, or the host had no memory left "
            "(dmesg says so)"
        )
    if code in _CODES:
        return _CODES[code]
    if 128 < code <= 128 + 64:
        try:
            return f"it was ended by {signal.Signals(code - 128).name}"
        except ValueError:
            return ""
    return ""


def stopped_by_hand(container: Container) -> bool:
    """Whether somebody has stopped it: Docker would have restarted it otherwise."""
    return (
        container.status == "exited"
        and not container.running
        and container.service.restart in _ALWAYS
        and not container.error
        and not container.out_of_memory
        and container.finished_at != ""
    )


def ended_at(container: Container) -> float | None:
    """When it last ended (Unix time); None where it never did, or Docker does not say so."""
    at = unix_time(container.finished_at) if container.finished_at else None
    return at if at and at > 0 else None


def since_when(facts: Facts, container: Container) -> str:
    """Since when it is as it is, for the end of a clause; "" where nothing tells."""
    now = facts.host_clock
    if container.status == "created":
        at = unix_time(container.created_at) if container.created_at else None
        return f"; it was created at {moment(at, now)}" if at else ""
    if container.restarting or (container.running and container.restarts):
        at = ended_at(container)
        return f", the last time at {moment(at, now)}" if at else ""
    if not container.running:
        at = ended_at(container)
        return f" since {moment(at, now)}" if at else ""
    if container.status == "paused":
        at = container.last_probe_at
        return f", and its healthcheck last ran at {moment(at, now)}" if at else ""
    if container.health == "unhealthy":
        at = unhealthy_since(container)
        return f" since {moment(at, now)}" if at else ""
    return ""


def unhealthy_since(container: Container) -> float | None:
    """When the first of the present row of healthchecks failed (Unix time), as far as Docker's own counts tell.

    Docker keeps the last five only, and how many failed in a row.
    """
    last, check = container.last_probe_at, container.service.healthcheck
    if last is None:
        return None
    each = (check.interval if check else None) or 30.0
    began = unix_time(container.started_at) or 0.0
    return max(began, last - each * max(0, container.failing_streak - 1))
