"""Each sign that billing works, made to fail on a live host: red is that sign's check and no other."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from lago_acceptance.checks import billing_signs, jobs
from lago_acceptance.checks import clock as clock_checks
from lago_acceptance.checks import host as host_checks
from lago_acceptance.checks.edge import traefik_routers
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.roles import CLOCK, role_of
from lago_acceptance.core.settings import Backup, Settings
from lago_acceptance.core.settings import load as load_settings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from lago_acceptance.lago import schedules
from tests.support import containers, suite_run
from tests.support.containers import docker

pytestmark = [pytest.mark.stack, pytest.mark.docker]

# As a swarm's containers name theirs.
SWARM_IMAGES = (
    f"traefik:v3.1.2@sha256:{'a' * 64}",
    f"traefik@sha256:{'a' * 64}",
    f"docker.io/library/traefik@sha256:{'a' * 64}",
)
SETTINGS = load_settings(ROOT / "settings.toml")
CUSTOMER = "00000000-0000-4000-8000-00000000000c"


@pytest.fixture(scope="module")
def host(live_lago) -> Iterator[SshHost]:
    """The live host, by ssh."""
    found = SshHost(parse(live_lago.server.url), live_lago.server.ssh_config)
    yield found
    found.close()


@pytest.fixture
def look(host, live_lago):
    """Call it to take the facts."""
    return lambda **how: observe(host, project=live_lago.project, **how)


def red(facts: Facts) -> set[str]:
    """The ids of all signs of the database that are red."""
    return {
        finding.id
        for sign in billing_signs.SIGNS.values()
        for finding in billing_signs.of_database(facts, sign)
    }


@contextlib.contextmanager
def failed_invoice(live_lago) -> Iterator[None]:
    """A customer whose invoice has failed; gone afterwards."""
    live_lago.sql(
        f"""INSERT INTO customers (id, organization_id, external_id, sequential_id, slug)
              SELECT '{CUSTOMER}', id, 'sign', 900, 'SIG-900' FROM organizations LIMIT 1;
            INSERT INTO invoices (organization_id, customer_id, issuing_date, payment_due_date, currency, status)
              SELECT id, '{CUSTOMER}', now(), now(), 'USD', 4 FROM organizations LIMIT 1"""
    )
    try:
        yield
    finally:
        live_lago.sql(
            f"DELETE FROM invoices WHERE customer_id = '{CUSTOMER}'; DELETE FROM customers WHERE id = '{CUSTOMER}'"
        )


def test_a_sign_of_the_database(live_lago, look):
    with failed_invoice(live_lago):
        facts = look()
    assert red(facts) == {"invoices-failed"}, facts.database_error


@pytest.mark.parametrize(
    ("table", "sign"),
    [("webhooks", billing_signs.WEBHOOKS), ("active_storage_attachments", billing_signs.WITHOUT_FILE)],
)
def test_a_schema_that_lacks_a_table_is_unknown(table, sign, live_lago, look):
    live_lago.sql(f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        facts = look()
    finally:
        live_lago.sql(f"ALTER TABLE {table}_away RENAME TO {table}")
    with pytest.raises(Unknown, match=table):
        list(billing_signs.of_database(facts, sign))
    assert list(billing_signs.of_database(facts, billing_signs.FAILED)) == []


@pytest.mark.parametrize("queue", ["default", "events", "pdfs"])
def test_an_old_job_in_a_queue(queue, live_lago, tmp_path):
    job = json.dumps({"class": "X", "jid": "sign", "enqueued_at": time.time() - 300})
    # Nobody takes it meanwhile: the worker reads no `events` and no `pdfs`, and is stopped for its own.
    worker = live_lago.container("lago-worker")
    if queue == "default":
        docker("pause", worker)
        # What it has already asked for would be handed to it.
        live_lago.redis("CLIENT", "KILL", "TYPE", "normal")
    live_lago.redis("SADD", "queues", queue)
    live_lago.redis("LPUSH", f"queue:{queue}", job)
    try:
        result = suite_run.run(tmp_path, "-k", "test_every_queue_is_read_in_time", *live_lago.options)
    finally:
        live_lago.redis("LREM", f"queue:{queue}", "0", job)
        if queue == "default":
            docker("unpause", worker)
        else:
            live_lago.redis("SREM", "queues", queue)
    assert result.red() == {"queue-stuck"}, result.output
    assert queue in result.finding("queue-stuck")["problem"]


def test_jobs_that_died_since_the_last_look(live_lago, look):
    before = look()
    live_lago.redis(
        "ZADD", "dead", str(time.time()), '{"class":"X","wrapped":"GenerateJob","error_message":"boom"}'
    )
    try:
        after = look()
    finally:
        live_lago.redis("ZREMRANGEBYSCORE", "dead", str(before.host_clock), "+inf")
    assert ids(jobs.none_died_since(after, before.host_clock)) == ["jobs-died"]
    assert list(jobs.none_died_since(after, after.host_clock)) == []


def test_what_others_keep_in_the_same_redis_hides_nothing(live_lago, look):
    live_lago.redis("-n", "5", "SET", "queues", "of somebody else")
    live_lago.redis("SADD", "queues", "of-somebody-else")
    live_lago.redis("LPUSH", "queue:of-somebody-else", "no JSON")
    try:
        facts = look()
    finally:
        live_lago.redis("-n", "5", "DEL", "queues")
        live_lago.redis("DEL", "queue:of-somebody-else")
        live_lago.redis("SREM", "queues", "of-somebody-else")
    assert facts.redis_error == ""
    found = sidekiq.as_enqueued_to(facts)
    assert found.readers and "of-somebody-else" in {queue.name for queue in found.queues}


def ids(findings: Iterable[Finding]) -> list[str]:
    """Their ids."""
    return [finding.id for finding in findings]


def limited(**limits: float) -> Settings:
    """The shipped settings with other limits."""
    return msgspec.structs.replace(SETTINGS, limits=msgspec.structs.replace(SETTINGS.limits, **limits))


def later(facts: Facts, minutes: float) -> Facts:
    """The same facts, as if looked at so much later: a clock that has stood still since."""
    return msgspec.structs.replace(facts, host_clock=facts.host_clock + 60 * minutes)


def test_a_clock_that_stands_still(look):
    facts = look()
    assert list(clock_checks.enqueues_in_time(facts, schedules.EVERY_FIVE_MINUTES)) == []
    late = clock_checks.enqueues_in_time(later(facts, 12), schedules.EVERY_FIVE_MINUTES)
    assert ids(late) == ["schedule-late"] * 4
    hour = list(clock_checks.enqueues_in_time(later(facts, 75), schedules.BILLING))
    assert ids(hour) == ["schedule-late"] and "bill_customers" in hour[0].problem


def test_a_clock_that_has_just_started_is_unknown(live_lago, look):
    facts = look()
    clock = facts.running(CLOCK)
    stamp = facts.logs[clock.id].splitlines()[0].partition(" ")[0]
    young = msgspec.structs.replace(
        facts, logs={clock.id: f"{stamp} Starting clock for 1 events: [ schedule:bill_customers ]"}
    )
    with pytest.raises(Unknown, match="bill_customers"):
        list(clock_checks.enqueues_in_time(young, schedules.BILLING))


def test_a_clock_that_can_not_enqueue(look):
    facts = look()
    clock = facts.running(CLOCK)
    failing = msgspec.structs.replace(
        facts,
        logs={clock.id: facts.logs[clock.id].replace("error=nil", "error=#<Redlock::LockAcquisitionError>")},
    )
    late = list(clock_checks.enqueues_in_time(later(failing, 12), schedules.EVERY_FIVE_MINUTES))
    assert len(late) == 4 and "Redlock" in late[0].problem


def test_an_image_whose_name_has_moved(live_lago, look):
    assert list(host_checks.images_are_what_their_names_say(look())) == []
    front = live_lago.front_image
    docker("tag", docker("inspect", "--format", "{{.Image}}", live_lago.container("lago-redis")), front)
    try:
        moved = list(host_checks.images_are_what_their_names_say(look()))
    finally:
        docker("tag", docker("inspect", "--format", "{{.Image}}", live_lago.container("lago-front")), front)
    assert [(finding.id, finding.role) for finding in moved] == [("image-moved", "front")]


def test_a_big_log(live_lago, look):
    assert list(host_checks.logs_are_rotated(look(), limited(log_mib=2))) == []
    docker(
        "exec",
        live_lago.container("lago-front"),
        "sh",
        "-c",
        "head -c 2500000 /dev/zero | tr '\\0' x | fold -w 900 >/proc/1/fd/1",
    )
    assert [
        (finding.id, finding.role) for finding in host_checks.logs_are_rotated(look(), limited(log_mib=2))
    ] == [("log-too-big", "front")]


def test_a_traefik_that_does_not_tell_is_unknown(live_lago, look):
    facts = look()
    mute = msgspec.structs.replace(facts, proxies=dict.fromkeys(facts.proxies))
    with pytest.raises(Unknown, match="api.insecure"):
        traefik_routers.have_no_errors(mute, "api", PublicUrl("https", "billing-api.bizoholic.net", 443))


def test_a_swarm_service_of_traefik_is_the_proxy(live_lago, look):
    network = live_lago.stack.network("proxy")
    name = f"traefik_traefik.1.{live_lago.project[-6:]}"
    image = docker("inspect", "--format", "{{.Config.Image}}", live_lago.container("lago-redis"))
    labels = ("com.docker.swarm.service.name=traefik_traefik", "lago-acceptance.role=proxy")
    options = ("--network", network, *(f"--label={label}" for label in labels))
    with containers.running(image, options=options, name=name):
        facts = look()
    assert {role_of(image, "/entrypoint.sh traefik") for image in SWARM_IMAGES} == {"proxy"}
    found = next(container for container in facts.others if container.name == name)
    assert found.role == "proxy" and network in found.addresses
    assert found.id in facts.proxies and facts.proxies[found.id] is None
    # The one that tells is believed.
    assert (
        traefik_routers.are_one_each(
            facts, "api", PublicUrl("https", "billing-api.bizoholic.net", 443), live_lago.stack.settings.edge
        )
        == []
    )


def ahead(sshd, folder: Path, by: str):
    """A server on which the host's clock is ahead."""
    tools = folder / "tools"
    tools.mkdir()
    date = tools / "date"
    date.write_text(f'#!/bin/sh\nexec /bin/date -d "+{by}" "$@"\n')
    date.chmod(0o755)
    return sshd(environment={"PATH": f"{tools}:{os.environ['PATH']}"})


def test_twelve_minutes_without_a_schedule(live_lago, sshd, tmp_path):
    """By the host's own clock: it goes on while that of Lago stands still."""
    server = ahead(sshd, tmp_path, "12 minutes")
    clock = live_lago.container("lago-clock")
    # Its process alone: of a container that is paused Docker says so.
    docker("kill", "--signal", "STOP", clock)
    try:
        result = suite_run.run(
            tmp_path, "-k", "schedules_are_enqueued or clock_ticks", *live_lago.options_for(server)
        )
    finally:
        docker("kill", "--signal", "CONT", clock)
    assert result.red() == {"schedule-late", "clock-stands-still"}, result.output
    assert "test_five_minute_schedules_are_enqueued_in_time" in result.checks("failed")


def test_a_clock_that_is_wrong(live_lago, sshd, tmp_path):
    server = ahead(sshd, tmp_path, "1 hour")
    host = SshHost(parse(server.url), server.ssh_config)
    try:
        facts = observe(host, project=live_lago.project)
    finally:
        host.close()
    assert ids(host_checks.clock_is_right(facts, limited(clock_drift=5))) == ["clock-drift"]
    assert 3590 < facts.clock_drift <= 3601


def test_the_hosts_clock_is_this_machines(look):
    assert look().clock_drift == 0.0


def test_dumps(tmp_path: Path, look):
    pattern = f"{tmp_path}/*.sql.gz"
    backed_up = msgspec.structs.replace(SETTINGS, backup=Backup(pattern, 26))
    assert ids(host_checks.last_dump_is_recent(look(backups=pattern), backed_up)) == ["dump-old"]
    dump = tmp_path / "lago.sql.gz"
    dump.write_bytes(b"x")
    assert list(host_checks.last_dump_is_recent(look(backups=pattern), backed_up)) == []
    os.utime(dump, (time.time() - 27 * 3600,) * 2)
    (old,) = host_checks.last_dump_is_recent(look(backups=pattern), backed_up)
    assert old.id == "dump-old" and "27 hours" in old.problem
    dump.write_bytes(b"")
    (empty,) = host_checks.last_dump_is_recent(look(backups=pattern), backed_up)
    assert "empty" in empty.problem
