"""From symptoms (state, exit code, lines of the log) to cause and fix."""

from __future__ import annotations

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, LAGO_RUBY, MIGRATE, WORKER
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.lago.log_causes import KEY_CAUSES, Cause, cause_of


def symptom(container: Container) -> str | None:
    """What is wrong with a container's state in a few words, or None. A one-shot that ended with 0 is fine: the
    migration, and what is no part of Lago (a key generator, a dump).
    """
    if container.out_of_memory:
        return f"was killed for using more memory than its limit (exit code {container.exit_code})"
    if container.status == "created":
        return f"was created and never started: {container.error or 'something that it depends on failed'}"
    if container.restarting or (container.restarts and container.exit_code):
        return f"restarts again and again (restart {container.restarts}, exit code {container.exit_code})"
    if not container.running and (container.exit_code or container.role not in (MIGRATE, None)):
        return f"has exited with code {container.exit_code}"
    if container.running and container.restarts:
        return f"was restarted {container.restarts} times"
    if container.health == "unhealthy":
        return f"is unhealthy: its healthcheck says {container.health_output or 'nothing'!r}"
    return None


def explain(facts: Facts, container: Container, id: str) -> Finding | None:
    """A finding for a container that has a symptom: what, and the cause as far as its log shows one."""
    what = symptom(container)
    if what is None:
        return None
    return finding(container, id, what, facts.log(container))


def finding(container: Container, id: str, what: str, lines: list[str]) -> Finding:
    """The finding for a symptom, with the cause that the log shows or else its last line."""
    known = cause_of(lines)
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if known:
        cause, line = known
        return Finding(
            id=id,
            role=container.role,
            service=container.service.name,
            problem=f"{what}; {cause.problem}: {line[:200]}",
            impact=cause.impact,
            fix=cause.fix,
        )
    return Finding(
        id=id,
        role=container.role,
        service=container.service.name,
        problem=what + (f"; its last log line: {last[:200]}" if last else "; it has logged nothing"),
        impact="the work of this service is not done",
        fix=f"read docker logs {container.name}",
    )


def key_trouble(facts: Facts) -> tuple[Container, Cause, str] | None:
    """The first container of Lago that the key keeps from running, with the cause and the line that shows it."""
    for container in facts.of_role(*LAGO_RUBY):
        down = not container.running or container.restarting or container.restarts
        if down and (known := cause_of(facts.log(container), KEY_CAUSES)):
            return container, *known
    return None


def migration_failed(facts: Facts) -> bool:
    """Whether the migration container has ended with another exit code than 0."""
    migrate = facts.of_role(MIGRATE)
    return bool(migrate) and not migrate[-1].running and migrate[-1].exit_code != 0


def blocker(facts: Facts) -> str:
    """The id of the red check that keeps a service from being judged: the key's, migration's, else the services'."""
    if trouble := key_trouble(facts):
        return trouble[1].id
    waits = any(container.status == "created" for container in facts.of_role(API, WORKER, CLOCK))
    if migration_failed(facts) and waits:
        return "migrate-failed"
    return "service-down" if facts.containers else "not-brought-up"
