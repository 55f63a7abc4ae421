"""Checks of the services as a whole: each is there, runs, logs nothing fatal, and is on the right networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lago_acceptance.checks import availability, diagnosis, schema, without
from lago_acceptance.checks.database_trouble import database_trouble
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.settings import TRAEFIK, Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.lago import log_causes
from lago_acceptance.model.from_docker import SWARM_SERVICE


@registry.check(phase=2, errors={"not-brought-up": "The deployment has containers on this host."})
def stack_came_up(facts: Facts, failed: str | None) -> Iterator[Finding]:
    """Compose brought the stack up; ``failed`` says why not. Blocked if a container's own check says why."""
    if not failed:
        return
    if facts.containers:
        raise Blocked(diagnosis.blocker(facts), f"the stack did not come up ({failed})")
    yield Finding(
        id="not-brought-up",
        problem=f"Compose created no container: {failed}",
        impact="a deploy of this file stops here, and the previous containers keep running",
        fix="fix the error that Compose reports; `docker compose up` on the host reports the same",
    )


@registry.check(
    phase=2,
    errors={
        "service-missing": "Every service that Lago needs has a container.",
        "service-more-than-once": "Every service runs in one container only.",
    },
)
def each_service_runs_once(facts: Facts) -> Iterator[Finding]:
    """Each Lago service has exactly one container; several workers may run as separate services.

    A missing worker, clock or PDF service is reported by the rules no-worker-service, no-clock-service and
    no-pdf-service. A database, Redis or PDF service outside the deployment is not missing.
    """
    availability.brought_up(facts)
    for role, impact in without.IMPACT.items():
        here = facts.of_role(role)
        used_elsewhere = (
            role in facts.elsewhere or (role == DB and facts.database) or availability.elsewhere(facts, role)
        )
        # What the API does itself needs no service of its own; whether the schema is right is judged by itself.
        done = used_elsewhere or role == MIGRATE and any(map(_migrates, facts.of_role(API)))
        if not here and not done and availability.id_of_missing(facts, role) == "service-missing":
            yield Finding(
                id="service-missing",
                role=role,
                problem=f"no {role} container found",
                impact=impact,
                fix=f"add a service for it to the compose file ({role}), and deploy",
            )
        names = {container.service.name for container in here}
        # Swarm starts as many tasks of a service as it is given replicas.
        replicas = role in (API, WORKER, FRONT, PDF) and len(names) == 1 and _all_tasks(here)
        if role != MIGRATE and not replicas and len(here) > 1 and (role != WORKER or len(names) < len(here)):
            yield Finding(
                id="service-more-than-once",
                role=role,
                problem=f"{len(here)} containers act as the {role}: {', '.join(each.name for each in here)}",
                impact="requests reach one or the other, so answers change from request to request",
                fix="find out which one is the right one (docker ps -a) and remove the other",
            )


def _migrates(api: Container) -> bool:
    """Whether an API migrates before it serves (docs/lago-facts.md, section 1.1)."""
    return "scripts/start.sh" in api.service.full_command


def _all_tasks(containers: tuple[Container, ...]) -> bool:
    return all(SWARM_SERVICE in each.service.labels for each in containers)


@registry.check(phase=2, errors={"service-down": "Every service runs and is healthy."})
def are_up_and_healthy(facts: Facts) -> Iterator[Finding]:
    """Every container runs, does not restart again and again, and is not unhealthy.

    The migration container has its own check. Blocked if the key or the migration keeps Lago from starting, and where the
    worker, whose healthcheck asks Redis, is unhealthy beside a Redis that takes no jobs, or the API, whose healthcheck asks
    PostgreSQL, beside a database that serves nobody.
    """
    availability.brought_up(facts)
    redis, database = availability.redis_trouble(facts), database_trouble(facts)
    trouble = diagnosis.key_trouble(facts)
    unmigrated = diagnosis.migration_failed(facts)
    findings: list[Finding] = []
    waiting: list[Finding] = []
    asks_redis = asks_database = False
    for container in facts.containers:
        finding = diagnosis.explain(facts, container, "service-down")
        if container.role == MIGRATE or finding is None:
            continue
        cause = diagnosis.waits_for(facts, container) if container.status == "created" else None
        if cause and cause.role != MIGRATE and diagnosis.symptom(cause):
            # The finding about that one names this one.
            continue
        unhealthy = container.running and container.health == "unhealthy"
        if redis and unhealthy and container.role in (WORKER, REDIS):
            asks_redis = True
            continue
        if database and unhealthy and container.role == API:
            asks_database = True
            continue
        if unhealthy and _store_is_down(facts, container):
            # The finding about the store explains this one.
            continue
        by_key = trouble and log_causes.cause_of(facts.log(container), log_causes.KEY_CAUSES)
        waits = (trouble or unmigrated) and container.status == "created"
        (waiting if by_key or waits else findings).append(finding)
    if waiting and not findings:
        raise Blocked(trouble[1].id if trouble else "migrate-failed", "Lago's processes can't start")
    if asks_redis and not findings:
        raise Blocked(redis, "the worker's healthcheck asks Redis")
    if asks_database and not findings:
        raise Blocked(database, "the API's healthcheck asks PostgreSQL")
    yield from findings


def _store_is_down(facts: Facts, container: Container) -> bool:
    """Whether the healthcheck asks a store of the deployment that does not run."""
    stores = facts.of_role({API: DB, WORKER: REDIS, CLOCK: REDIS}.get(container.role or "", ""))
    return bool(stores) and not any(each.running for each in stores)


def log_nothing_fatal(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Since its start no process of Lago has logged a line that is known to mean trouble (lago/log_causes.py).

    A warning where it goes away by waiting, or what the line is about works now.
    """
    running = [container for container in facts.of_role(*LAGO_RUBY) if container.serving(facts.host_clock)]
    if not running:
        raise Blocked(diagnosis.blocker(facts), "no process of Lago is running")
    for container in running:
        availability.readable_log(facts, container)
    for container in running:
        logged = list(log_causes.causes_of(facts.log_since_start(container)))
        past = [each for each in logged if _is_over(facts, settings, container, each[0].id)]
        lasting = [each for each in logged if each not in past]
        if lasting:
            yield _logged(container, *lasting[0])
        elif past:
            yield _logged_once(container, *past[0])


def _logged(container: Container, cause: log_causes.Cause, line: str) -> Finding:
    return Finding(
        id=cause.log_id,
        role=container.role,
        service=container.service.name,
        severity=Severity.ERROR if cause.final else Severity.WARNING,
        problem=f"{cause.problem}; since it started, it has logged: {line[:200]}",
        impact=cause.impact,
        fix=cause.fix,
    )


def _logged_once(container: Container, cause: log_causes.Cause, line: str) -> Finding:
    return Finding(
        id=cause.log_id,
        role=container.role,
        service=container.service.name,
        severity=Severity.WARNING,
        problem=f"it works now, but did not at some time since it started, when it logged: {line[:200]}",
        impact="requests and jobs of that time have failed",
        fix=f"docker logs --timestamps {container.name} says when; look for dead jobs of that time",
    )


def _is_over(facts: Facts, settings: Settings, container: Container, cause: str) -> bool:
    """Whether what a line of a container's log was about is known to be as it should be now."""
    match cause:
        case "database-password" | "database-missing" | "database-unreachable":
            return _reaches(facts, container, "DATABASE_URL") and not database_trouble(facts)
        case "redis-unreachable":
            return _reaches(facts, container, "REDIS_URL") and not availability.redis_trouble(facts)
        case "redis-evicts":
            return bool(facts.redis and facts.redis.policy == "noeviction")
        case "migration-failed":
            known = facts.database and facts.database.migrations and schema.wanted(facts, settings)
            return bool(known) and not schema.is_not_the_images(facts, settings)
        case _:
            return False


def _reaches(facts: Facts, container: Container, url: str) -> bool:
    reached = facts.process(container).reached.get(url)
    return bool(reached and reached.answer and not reached.error)


# Its id is that of the rule for the same defect in a compose file (rules/networks.py).
def are_on_their_networks(
    facts: Facts, network: Callable[[str], str], settings: Settings
) -> Iterator[Finding]:
    """API and front are on the proxy's network, and the API on the gateway's.

    ``network`` gives Docker's name of the network that is shared with the ``proxy`` or the ``gateway``.
    """
    names = {"proxy": settings.edge.proxy_network, "gateway": settings.edge.gateway_network}
    if not facts.running(API) and not facts.running(FRONT):
        raise Blocked(availability.why_down(facts, API), "neither API nor front is running")
    if settings.edge.proxy not in ("", TRAEFIK) or names["proxy"].startswith(f"{facts.project}_"):
        # Only Traefik looks for its targets on one network, and one of the file's own was made for them.
        names["proxy"] = ""
    if not any(names.values()):
        raise Unknown(
            "the deployment shares no network with a proxy or a gateway that is not its own",
            why="no network is shared with a proxy or a gateway",
        )
    for role, which in ((API, "proxy"), (FRONT, "proxy"), (API, "gateway")):
        container: Container | None = facts.running(role)
        if container and names[which] and network(which) not in container.addresses:
            yield Finding(
                id="wrong-network",
                role=role,
                service=container.service.name,
                problem=f"it is not on the network {names[which]}",
                impact="the proxy answers 502 or 404 for its name"
                if which == "proxy"
                else "the gateway can't reach the API",
                fix=f"list {names[which]} under the service's networks and declare it external",
            )
