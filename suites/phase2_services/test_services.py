"""Phase 2: every service is there once, runs, is healthy, and is what the files on the host say."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import availability, diagnosis
from lago_acceptance.checks.drift import differences
from lago_acceptance.core.findings import Finding, Red, Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, LAGO_RUBY, MIGRATE, PDF, REDIS, WORKER
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.lago import log_causes

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]

WITHOUT = {
    DB: "there is no database: nothing works",
    REDIS: "no job can be enqueued: every change through the API answers 500",
    API: "there is no Lago",
    WORKER: "no invoice, no webhook, no usage: nothing is billed, while /health stays green",
    CLOCK: "no recurring invoice, no activation and no termination of subscriptions",
    FRONT: "nobody can look at billing",
    PDF: "invoices are made without a file, and each leaves a dead job",
}


def test_the_stack_came_up(deployment, facts):
    failed = deployment.bring_up and deployment.bring_up.failed
    if not failed:
        return
    if trouble := diagnosis.key_trouble(facts):
        raise Blocked(trouble[1].id, "the services can't start")
    if facts.containers:
        raise Blocked(diagnosis.blocker(facts), f"the stack did not come up ({failed})")
    raise Red(
        Finding(
            id="not-brought-up",
            problem=f"Compose made no container: {failed}",
            impact="a deploy of this file ends here, and what ran before is what runs",
            fix="mend what Compose names; `docker compose up` on the host says the same",
        )
    )


def test_each_service_runs_exactly_once(facts, judge):
    findings = []
    for role, consequence in WITHOUT.items():
        here = facts.of_role(role)
        if not here and not (role == DB and facts.database) and not availability.elsewhere(facts, role):
            findings.append(
                Finding(
                    id="service-missing",
                    role=role,
                    problem=f"no container is the {role}",
                    impact=consequence,
                    fix=f"add the service as in compose/docker-compose.lago.yml ({role}), and deploy",
                )
            )
        names = {container.service.name for container in here}
        if len(here) > 1 and (role not in (WORKER,) or len(names) < len(here)):
            findings.append(
                Finding(
                    id="service-more-than-once",
                    role=role,
                    problem=f"{len(here)} containers are the {role}: "
                    f"{', '.join(container.name for container in here)}",
                    impact="a name answers from either, so answers change from request to request",
                    fix="find out which one is meant (docker ps -a) and remove the other",
                )
            )
    judge(findings)


def test_every_service_is_up_and_healthy(facts, judge):
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")
    trouble = diagnosis.key_trouble(facts)
    migrate = facts.of_role(MIGRATE)
    unmigrated = bool(migrate) and not migrate[-1].running and migrate[-1].exit_code != 0
    findings, waiting = [], []
    for container in facts.containers:
        finding = diagnosis.explain(facts, container, "service-down")
        if container.role == MIGRATE or finding is None:
            continue
        by_key = trouble and log_causes.cause_of(facts.log(container), log_causes.KEY_CAUSES)
        waits = (trouble or unmigrated) and container.status == "created"
        (waiting if by_key or waits else findings).append(finding)
    if waiting and not findings:
        raise Blocked(trouble[1].id if trouble else "migrate-failed", "Lago's processes can't start")
    judge(findings)


def test_every_service_is_asked_whether_it_is_well(facts, judge):
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")
    judge(
        Finding(
            id="healthcheck-absent",
            role=container.role,
            service=container.service.name,
            severity=Severity.WARNING,
            problem="nobody asks this container whether it is well",
            impact="Docker calls it up while it hangs or restarts, and `docker compose up --wait` calls "
            "it healthy",
            fix="give it a healthcheck that can fail, as in compose/docker-compose.lago.yml",
        )
        for container in facts.containers
        if container.role in WITHOUT and container.running and container.health is None
    )


def test_no_fatal_line_is_in_the_logs(facts, judge):
    running = [container for container in facts.of_role(*LAGO_RUBY) if container.serving(facts.host_clock)]
    if not running:
        raise Blocked(diagnosis.blocker(facts), "no process of Lago runs")
    if unseen := next(filter(None, map(facts.unseen_log, running)), ""):
        raise Unknown(f"Docker gives no log of Lago's containers: {unseen}")
    judge(
        Finding(
            id=f"log-{known[0].id}",
            role=container.role,
            service=container.service.name,
            severity=Severity.ERROR if known[0].final else Severity.WARNING,
            problem=f"since its start it has said that {known[0].problem}: {known[1][:200]}",
            impact=known[0].impact,
            fix=known[0].fix,
        )
        for container in running
        if (known := log_causes.cause_of(facts.log_since_start(container)))
    )


def test_what_runs_is_what_the_files_say(facts, judge):
    if facts.declaration is None:
        raise Unknown(
            "the compose file on the host could not be read there: "
            f"{facts.declaration_error or 'no container names one'}"
        )
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")
    judge(
        Finding(
            id="drift",
            role=container.role,
            service=container.service.name,
            problem=f"the container differs from the file: {'; '.join(found[:5])}",
            impact="the next recreate changes what runs, at a time that nobody chose",
            fix="deploy what the files say (docker compose up -d), or put the files back to what runs",
        )
        for container, found in differences(facts)
    )


def test_api_and_front_are_where_proxy_and_gateway_look_for_them(facts, deployment, settings, judge):
    names = {"proxy": settings.edge.proxy_network, "gateway": settings.edge.gateway_network}
    missing = []
    for role, which in ((API, "proxy"), (FRONT, "proxy"), (API, "gateway")):
        container = facts.running(role)
        if container and deployment.network(which) not in container.addresses:
            missing.append((container, names[which]))
    if not facts.running(API) and not facts.running(FRONT):
        raise Blocked(diagnosis.blocker(facts), "neither API nor front runs")
    judge(
        Finding(
            id="wrong-network",
            role=container.role,
            service=container.service.name,
            problem=f"it is not on the network {network}",
            impact="the proxy answers 502 or 404 for its name, or the gateway can't reach "
            "http://lago-api:3000",
            fix=f"list {network} under the service's networks and declare it external",
        )
        for container, network in missing
    )


def test_the_disk_has_room(facts, settings, judge):
    if not facts.disks:
        raise Unknown("df did not answer on the host")
    judge(
        Finding(
            id="disk-full",
            problem=f"{disk.mount} has {disk.free_mib} MiB left, less than {settings.limits.free_disk_mib}",
            impact="PostgreSQL and Redis stop writing, and with them billing",
            fix="docker system df; remove old images (docker image prune) and logs, or enlarge the disk",
        )
        for disk in {disk.mount: disk for disk in facts.disks}.values()
        if disk.free_mib < settings.limits.free_disk_mib
    )
