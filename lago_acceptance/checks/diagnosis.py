"""From symptoms (state, exit code, lines of the log) to cause, beginning, consequence and command."""

from __future__ import annotations

import re

from lago_acceptance.checks import container_commands as commands
from lago_acceptance.checks.container_ends import ended_at, meaning, since_when, stopped_by_hand
from lago_acceptance.checks.without import impact_without
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import moment
from lago_acceptance.core.roles import API, CLOCK, LAGO_RUBY, MIGRATE, WORKER
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.lago.log_causes import KEY_CAUSES, Cause, cause_of
from lago_acceptance.lago.telling_lines import telling_line

# Seconds: what a log says longer before an end did not cause it.
_NEAR = 3600
_NEVER_STARTED = "was created and never started"
_DEPENDS_ON = "com.docker.compose.depends_on"


def symptom(container: Container) -> str | None:
    """What is wrong with a container's state in a few words, or None. A one-shot that ended with 0 is fine: the
    migration, and what is no part of Lago (a key generator, a dump).
    """
    if container.out_of_memory:
        return f"was killed for using more memory than its limit (exit code {container.exit_code})"
    if container.status == "created":
        return f"{_NEVER_STARTED}: {container.error or 'something that it depends on failed'}"
    if container.status == "paused":
        return "is paused"
    if container.status == "dead":
        return "is dead: Docker could not remove it"
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
    """A finding for a container that has a symptom: what, since when, why as far as its log shows it, and what to type."""
    what = symptom(container)
    if what is None:
        return None
    waiting = [
        each.service.name
        for each in facts.containers
        if each.status == "created" and waits_for(facts, each) is container
    ]
    return finding(
        facts, container, id, what, f"{', '.join(waiting)} did not start because of it" if waiting else ""
    )


def finding(facts: Facts, container: Container, id: str, what: str, follows: str = "") -> Finding:
    """The finding for a symptom, with the cause that the log shows, or else the line that tells most.

    ``follows`` says what else is wrong because of it.
    """
    by_hand = stopped_by_hand(container)
    lines = _lines_before_the_end(facts, container)
    # What somebody has stopped did not end because of something in its log.
    known = None if by_hand else cause_of([text for _, text in lines])
    if container.status == "created" and not container.error and failed_dependency(facts, container):
        what = _NEVER_STARTED
    parts = [what + since_when(facts, container), *_why(facts, container, by_hand)]
    if known:
        cause, line = known
        first = next((at for at, text in lines if text.strip() == line), None)
        when = f" (first at {moment(first, facts.host_clock)})" if first else ""
        parts.append(f"{cause.problem}{when}: {line[:200]}")
    elif not by_hand:
        parts.append(_told(facts, container, lines))
    without = impact_without(container.role)
    return Finding(
        id=id,
        role=container.role,
        service=container.service.name,
        problem="; ".join(filter(None, (*parts, follows))),
        impact=cause.impact if known else without,
        fix=f"{cause.fix}; to look closer: {commands.logs(container)}"
        if known
        else _remedy(container, by_hand),
    )


def _lines_before_the_end(facts: Facts, container: Container) -> list[tuple[float, str]]:
    lines = facts.stamped_log(container)
    end = ended_at(container) or facts.host_clock
    return [(at, text) for at, text in lines if at >= end - _NEAR] or lines[-1:]


def _why(facts: Facts, container: Container, by_hand: bool) -> list[str]:
    """What state and exit code say about the cause."""
    said = []
    if by_hand:
        said.append(
            f"somebody has stopped it (docker stop or docker kill): with restart: {container.service.restart} Docker would "
            "have started it again otherwise"
        )
    elif not container.running or container.restarting:
        code = meaning(container, facts.oom_kills.get(container.id, 0))
        said += [f"exit code {container.exit_code}: {code}"] if code and not container.out_of_memory else []
        said += [container.error] if container.error and container.status != "created" else []
    if container.status == "created" and (failed := failed_dependency(facts, container)):
        said.append(f"it waits for {failed.service.name}, which {symptom(failed) or 'is not healthy yet'}")
    if container.out_of_memory and container.service.memory:
        said.append(f"its limit is {container.service.memory // 2**20} MiB")
    return said


def _told(facts: Facts, container: Container, lines: list[tuple[float, str]]) -> str:
    if container.status in ("created", "paused"):
        return ""
    if unseen := facts.unseen_log(container):
        return f"its log can't be shown: {unseen[:200]}"
    if not facts.log(container):
        # Logs of healthy stores are not read.
        return "it has logged nothing"
    told = telling_line(lines, ended_at(container) or facts.host_clock)
    return (
        f"its log at {moment(told[0], facts.host_clock)}: {told[1][:200]}"
        if told
        else "its log says nothing of why"
    )


def _remedy(container: Container, by_hand: bool) -> str:
    """The command that brings a container back or looks closer."""
    if container.status == "paused":
        return f"docker unpause {container.name}"
    if container.out_of_memory:
        return f"give it more memory (mem_limit, or deploy.resources.limits.memory), then: {commands.recreate(container)}"
    if container.status == "dead":
        return f"docker rm -f {container.name}, then: {commands.recreate(container)}"
    if container.status == "created":
        return f"put right what it waits for, then: {commands.recreate(container)}"
    if by_hand:
        return commands.start(container)
    if container.running or container.restarting:
        return f"read why: {commands.logs(container)}"
    return f"read why: {commands.logs(container)}; then start it: {commands.start(container)}"


def failed_dependency(facts: Facts, container: Container) -> Container | None:
    """The first of what a container waits for that is not as it has to be, by the label in which Compose keeps it."""
    names = re.findall(r"(?:^|,)([^:,]+)", container.service.labels.get(_DEPENDS_ON, ""))
    for each in facts.containers:
        if each.service.name in names and (symptom(each) or (each.running and each.health == "starting")):
            return each
    return None


def waits_for(facts: Facts, container: Container) -> Container | None:
    """The container because of which another one was never started, None where it is none or was started."""
    found, seen = container, set[str]()
    while found.status == "created" and found.id not in seen:
        seen.add(found.id)
        found = failed_dependency(facts, found) or found
    return found if found.status != "created" else None


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
