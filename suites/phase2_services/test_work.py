"""Phase 2: the worker works, the clock ticks, and API and front answer as themselves."""

from __future__ import annotations

import json
import re

import pytest

from lago_acceptance.checks import availability, diagnosis, schema
from lago_acceptance.checks.inside import LIMITED
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API, CLOCK, FRONT, WORKER
from lago_acceptance.core.verdicts import Blocked, Unknown

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]

# The clock's shortest schedules are five minutes apart.
TICK = 5 * 60


@pytest.fixture(scope="module")
def jobs(facts):
    """Sidekiq's data in the Redis database that the API enqueues to."""
    return availability.jobs(facts)


def test_a_worker_is_alive_where_the_api_enqueues(facts, jobs):
    if jobs.readers:
        return
    if facts.running(WORKER) is None:
        raise Blocked(diagnosis.blocker(facts), "the worker does not run")
    others = [
        each.number for each in facts.redis.databases or () if each.processes and each.number != jobs.number
    ]
    raise Red(
        Finding(
            id="worker-not-listening",
            role=WORKER,
            problem=f"no worker is alive in Redis database {jobs.number}, which the API enqueues to"
            + (f"; one listens to database {others[0]}" if others else ""),
            impact="jobs pile up: no invoice, no webhook, no usage, while every healthcheck is green",
            fix="give API, worker and clock one and the same REDIS_URL, and recreate them",
        )
    )


def test_the_worker_has_finished_a_job(facts, jobs):
    if not jobs.readers:
        raise Blocked(
            "worker-not-listening" if facts.running(WORKER) else diagnosis.blocker(facts),
            "no worker is alive",
        )
    if jobs.processed <= jobs.failed and not facts.running(CLOCK):
        raise Blocked(
            diagnosis.blocker(facts) if facts.of_role(CLOCK) else "service-missing",
            "no clock runs that would enqueue a job",
        )
    if jobs.processed <= jobs.failed:
        raise Red(
            Finding(
                id="worker-idle",
                role=WORKER,
                problem=f"of {jobs.processed} jobs that it took, {jobs.failed} failed and none was finished",
                impact="nothing is billed",
                fix="read the worker's log from its start; the clock enqueues jobs every five minutes",
            )
        )


def test_every_queue_is_read_in_time(facts, jobs, settings, judge):
    if not jobs.readers:
        raise Blocked(
            "worker-not-listening" if facts.running(WORKER) else diagnosis.blocker(facts),
            "no worker is alive",
        )
    findings = []
    for queue in jobs.queues:
        age = facts.host_clock - queue.oldest if queue.length and queue.oldest else 0
        if queue.length and queue.name not in jobs.read:
            problem = f"nobody reads the queue {queue.name}, and {queue.length} jobs are in it"
        elif age > settings.limits.queue_age:
            problem = f"the oldest of {queue.length} jobs in {queue.name} waits for {age:.0f} s"
        else:
            continue
        findings.append(
            Finding(
                id="queue-stuck",
                role=WORKER,
                problem=problem,
                impact="what these jobs are for (usage, invoices, files, webhooks) does not happen",
                fix="start a worker that reads it (start.events.worker.sh, start.pdfs.worker.sh), or take "
                "SIDEKIQ_EVENTS and "
                "SIDEKIQ_PDFS out of the environment",
            )
        )
    for container in facts.of_role(API, WORKER, CLOCK):
        for variable, queue in (("SIDEKIQ_EVENTS", "events"), ("SIDEKIQ_PDFS", "pdfs")):
            if container.service.value(variable) not in ("", "false") and queue not in jobs.read:
                findings.append(
                    Finding(
                        id="queue-without-reader",
                        role=container.role,
                        service=container.service.name,
                        problem=f"{variable} sends jobs to the queue {queue}, which no worker reads",
                        impact="usage stands still" if queue == "events" else "invoices have no file",
                        fix=f"run ./scripts/start.{queue}.worker.sh as a service too, or remove {variable}",
                    )
                )
    judge(findings)


def test_the_clock_ticks(facts):
    clock = facts.running(CLOCK)
    if clock is None:
        raise Blocked(
            diagnosis.blocker(facts) if facts.of_role(CLOCK) else "service-missing", "the clock does not run"
        )
    if unseen := facts.unseen_log(clock):
        raise Unknown(f"Docker gives no log of the clock: {unseen}")
    lines = facts.log_since_start(clock)
    failed = next((line for line in lines if "Failed enqueuing" in line), None)
    enqueued = facts.last_at(clock, "Enqueued ")
    triggered = facts.last_at(clock, "Triggering 'schedule:")
    late = triggered is None or facts.host_clock - triggered > TICK + 60
    if late or (failed and enqueued is None):
        raise Red(
            Finding(
                id="clock-stands-still",
                role=CLOCK,
                service=clock.service.name,
                problem="it triggers jobs and can't enqueue them: " + failed[:200]
                if failed and not late
                else "it has triggered nothing"
                + ("" if triggered is None else f" for {facts.host_clock - triggered:.0f} s"),
                impact="no recurring invoice, no activation, no termination",
                fix="give the clock the REDIS_URL of API and worker, and look at its log",
            )
        )


def test_health_is_lagos_and_of_the_expected_version(facts, settings):
    api = facts.running(API)
    if api is None:
        raise Blocked(
            diagnosis.blocker(facts) if facts.of_role(API) else "service-missing", "the API does not run"
        )
    asked = facts.process(api)
    said = asked.answers.get("/health")
    if not said:
        raise Red(health_finding(f"/health gives no answer inside the container: {asked.error or 'nothing'}"))
    try:
        body = json.loads(asked.health)
    except json.JSONDecodeError:
        raise Red(health_finding(f"/health answers {said.status} {said.type}, which is not JSON")) from None
    if said.status != 200:
        raise Red(
            health_finding(
                f"/health answers {said.status}: {body.get('message')} {str(body.get('details', ''))[:200]}"
            )
        )
    if body.get("version") != settings.deployment.version:
        raise Red(
            Finding(
                id="version-unexpected",
                role=API,
                problem=f"Lago {body.get('version')} runs, {settings.deployment.version} is expected "
                "(settings.toml)",
                impact="the database may have been migrated to another version, and there is no way back "
                "by image alone",
                fix="deploy the expected image, or change deployment.version in settings.toml with the "
                "upgrade",
            )
        )


def test_the_api_answers_its_own_key(facts, settings):
    api = facts.running(API)
    if api is None:
        raise Blocked(
            diagnosis.blocker(facts) if facts.of_role(API) else "service-missing", "the API does not run"
        )
    asked = facts.process(api)
    if asked.error:
        raise Blocked("api-unhealthy", f"the API gave no answer: {asked.error}")
    if not asked.with_key:
        raise Unknown("the API container has no LAGO_API_KEY, so what needs a key can't be asked from inside")
    status = asked.status("/api/v1/organizations")
    if status == 403:
        raise Unknown(LIMITED.format("API", "organization"))
    if status == 401:
        raise Red(
            Finding(
                id="api-refuses-its-key",
                role=API,
                problem="Lago does not know the API key that its container was given (401)",
                impact="whoever uses that key, the gateway above all, is refused",
                fix="seed with both LAGO_ORG_API_KEY and LAGO_API_KEY set to that key: 1.16.0 takes the "
                "second's value only "
                "if the first is there; a key of an older volume stays what it was",
            )
        )
    if status != 200 and schema.is_not_the_images(facts, settings):
        raise Blocked("schema-not-the-images", f"the API answers {status} on a schema that is not its own")
    if status != 200:
        raise Red(
            Finding(
                id="api-fails",
                role=API,
                problem=f"GET /api/v1/organizations answers {status} while /health looks well",
                impact="no request of gateway or web UI is answered",
                fix="read the API's log from the first ERROR on",
            )
        )


def health_finding(problem: str) -> Finding:
    """The finding for an API that does not call itself well."""
    return Finding(
        id="api-unhealthy",
        role=API,
        problem=problem,
        impact="no request of gateway or web UI is answered",
        fix="look at the API's log and at the database: /health asks nothing but PostgreSQL",
    )


def test_the_front_tells_the_browser_the_apis_public_url(facts, settings):
    front = facts.running(FRONT)
    if front is None:
        raise Blocked(
            diagnosis.blocker(facts) if facts.of_role(FRONT) else "service-missing", "the front does not run"
        )
    answer = facts.fronts.get(front.id, "")
    if not answer.strip():
        raise Unknown("the front's container has neither curl nor wget, and could not be asked from inside")
    found = re.search(r'window\.API_URL\s*=\s*"([^"]*)"', answer)
    wanted = f"https://{settings.hosts.api}"
    if found is None:
        problem = "its /env-config.js is not the JavaScript that sets API_URL"
    elif found[1].rstrip("/") == wanted:
        return
    else:
        problem = f"its API_URL is {found[1]!r}, not {wanted!r}"
    raise Red(
        Finding(
            id="front-api-url",
            role=FRONT,
            service=front.service.name,
            problem=problem,
            impact="the login page shows and nobody can log in: the browser asks the wrong address",
            fix=f"set API_URL={wanted} on the front and recreate it; a command: on that service is "
            "ignored by its entrypoint",
        )
    )
