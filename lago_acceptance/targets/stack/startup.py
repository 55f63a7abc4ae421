"""Whether containers that are being started have come up, still may, or can't recover."""

from __future__ import annotations

import json
import time
from importlib.resources import files

import msgspec

from lago_acceptance.checks import diagnosis
from lago_acceptance.core.awaited import Board
from lago_acceptance.core.roles import MIGRATE
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.facts.containers import container_from
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand
from lago_acceptance.lago import log_causes

# What is said where this machine's Docker is gone; with the daemon's own answer behind it, it isn't.
_GONE = ("Cannot connect to the Docker daemon", "error during connect", "failed to connect to the docker API")
_FULL, _ANSWER = "no space left on device", "Error response from daemon"

Seen = list[tuple[Container, list[str]]]


class BringUp(msgspec.Struct, frozen=True):
    """How the bring-up ended: Compose's result, and why it was given up, if it was."""

    outcome: CommandResult
    gave_up: str | None

    @property
    def failed(self) -> str | None:
        """Why the stack did not come up, or None."""
        if self.gave_up:
            return self.gave_up
        if self.outcome.code:
            lines = [
                line
                for line in self.outcome.output.splitlines()
                if line.strip() and "level=warning" not in line
            ]
            return lines[-1].strip() if lines else f"Compose ended with code {self.outcome.code}"
        return None


def refuse_own_fault(outcome: CommandResult) -> None:
    """Unreachable if a bring-up failed because of this machine, not of the deployment."""
    for line in (line.strip() for line in outcome.output.splitlines()):
        if _FULL in line:
            raise Unreachable(f"the stack could not be brought up on this machine: {line[:300]}")
        if _ANSWER not in line and any(sign in line for sign in _GONE):
            raise Unreachable(
                "Docker stopped answering while the stack was brought up; start it (systemctl start docker) and run again "
                f"({line[:300]})"
            )


def progress(host: Host, project: str) -> Seen:
    """The containers of a Compose project as they are now, with the last log lines of those that failed."""
    text = (files("lago_acceptance.targets.stack") / "scripts" / "progress.sh").read_text("utf-8")
    lines: dict[str, list[str]] = {}
    raw = []
    for line in host.read(ReadCommand("progress", text, {"project": project}, deadline=15)).splitlines():
        if line.startswith("L "):
            _, name, *rest = line.split(" ", 2)
            lines.setdefault(name, []).append(rest[0] if rest else "")
        elif line.startswith("{"):
            raw.append(json.loads(line))
    return [(container_from(each, {}), lines.get(each["id"], [])) for each in raw]


def wait(host: Host, project: str, seconds: float) -> str | None:
    """Wait until each container has come up or can't recover; why one has not, or None."""
    seen: Seen = []
    with Board.shared.waiting(seconds, {"containers": "starting"}) as shown:

        def settled() -> bool:
            seen[:] = progress(host, project)
            shown.tell(unready(seen))
            gone = lost(seen)
            return all(ready(container) or container.service.name in gone for container, _ in seen)

        until(settled, seconds)
    reasons = lost(seen)
    late = [each.service.name for each, _ in seen if not ready(each) and each.service.name not in reasons]
    if late:
        return f"{', '.join(late)} not ready within {seconds:.0f} s"
    return next(iter(reasons.values()), None)


def unready(seen: Seen) -> dict[str, str]:
    """The state of each service that has not come up yet, in a word or two, by name."""
    return {each.service.name: _state(each) for each, _ in seen if not ready(each)}


def _state(container: Container) -> str:
    if container.restarting or container.restarts:
        return f"restarting ({container.restarts})"
    if container.status == "exited":
        return f"exited ({container.exit_code})"
    return container.health if container.running and container.health else container.status


def lost(seen: Seen) -> dict[str, str]:
    """Why services will not recover by themselves, by name."""
    reasons = ((container.service.name, cannot_recover(container, lines)) for container, lines in seen)
    return {name: f"{name} {reason}" for name, reason in reasons if reason}


def has_worked(facts: Facts) -> bool:
    """Whether some worker has finished a job."""
    databases = (facts.redis.databases if facts.redis else None) or ()
    return any((each.processed or 0) > (each.failed or 0) for each in databases)


def ready(container: Container) -> bool:
    """Whether a container has come up: healthy, running without a healthcheck, or a one-shot that has finished."""
    if container.role == MIGRATE or container.service.restart in ("no", ""):
        if not container.running and container.status == "exited":
            return container.exit_code == 0
        return container.role != MIGRATE and container.running and container.health in (None, "healthy")
    return container.serving(time.time()) and container.health in (None, "healthy")


def cannot_recover(container: Container, lines: list[str]) -> str | None:
    """Why a container will not recover by itself, or None."""
    what = diagnosis.symptom(container)
    if what is None or container.status == "created":
        return None
    if container.out_of_memory or container.health == "unhealthy":
        return what
    if container.role == MIGRATE and not container.running and container.exit_code:
        return what
    known = log_causes.cause_of(lines)
    if known and known[0].final and (container.exit_code or container.restarts):
        return f"{what}: {known[0].problem}"
    if container.restarts >= 3:
        return what
    return None
