"""Every finding about a container says what, since when, why, what is lost meanwhile, and what to type."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lago_acceptance.checks import services
from lago_acceptance.core import moments
from lago_acceptance.core.findings import Finding
from lago_acceptance.facts.containers import container_from
from lago_acceptance.facts.types import Container
from lago_acceptance.lago.telling_lines import telling_line
from lago_acceptance.model.deployment import Healthcheck
from tests.support.facts import NOW, container, facts, lago, stamp

COMPOSE = "com.docker.compose"
LABELS = {
    f"{COMPOSE}.project": "lago",
    f"{COMPOSE}.project.working_dir": "/srv/my lago",
    f"{COMPOSE}.project.config_files": "/srv/my lago/a.yml,b.yml",
    f"{COMPOSE}.project.environment_file": "/srv/my lago/.env",
    f"{COMPOSE}.depends_on": "lago-db:service_healthy:true,lago-redis:service_healthy:false",
}
ENDED = {"running": False, "status": "exited", "finished_at": stamp(7200)}
UP = (
    "docker compose -p lago -f '/srv/my lago/a.yml' -f '/srv/my lago/b.yml' --env-file '/srv/my lago/.env' "
    "up -d lago-{}"
)


def of(role: str, *, restart: str = "unless-stopped", **state: Any) -> Container:
    """A container of a role that Compose has made."""
    made = container(role, **state)
    return msgspec.structs.replace(
        made, service=msgspec.structs.replace(made.service, restart=restart, labels=LABELS)
    )


def told(changed: Container, log: str = "", **seen: Any) -> Finding:
    """The only finding, where one container is not well."""
    everything = (*lago(changed.role or ""), changed)
    (found,) = services.are_up_and_healthy(facts(*everything, logs={changed.id: log}, **seen))
    assert found.id == "service-down" and found.service == changed.service.name
    return found


@pytest.mark.parametrize("code", [0, 137, 143])
def test_a_container_that_somebody_has_stopped(code):
    found = told(of("worker", exit_code=code, **ENDED), f"{stamp(7300)} PG::ConnectionBad\n{stamp(7201)} bye")
    assert f"has exited with code {code} since {moments.minute(NOW - 7200)} (2 hours ago)" in found.problem
    assert "somebody has stopped it" in found.problem and "PG::" not in found.problem
    assert found.impact.startswith("no invoices, no webhooks") and found.fix == "docker start lago-worker-1"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"exit_code": 137}, "SIGKILL: docker kill"),
        ({"exit_code": 137, "out_of_memory": True}, "more memory than its limit"),
        ({"exit_code": 139}, "it crashed (SIGSEGV)"),
        ({"exit_code": 127}, "the command is not in the image"),
        ({"exit_code": 135}, "ended by SIGBUS"),
        ({"exit_code": 1, "error": "driver failed"}, "driver failed"),
    ],
)
def test_the_exit_code_in_words(state, words):
    found = told(of("clock", restart="no", **ENDED, **state), f"{stamp(7205)} boom")
    assert words in found.problem and "no recurring invoices" in found.impact
    assert "lago-clock" in found.fix


def test_killed_children_explain_a_kill():
    found = told(of("worker", restart="no", exit_code=137, **ENDED), oom_kills={"worker": 2})
    assert "the kernel killed it for lack of memory" in found.problem


def test_the_line_that_tells_most_is_quoted_and_not_the_last():
    log = "\n".join(
        (
            f"{stamp(90000)} ERROR of yesterday",
            f"{stamp(7210)} FATAL: could not open the journal",
            f"{stamp(7202)} Firing heartbeat",
            f"{stamp(7201)} DEBUG done",
        )
    )
    found = told(of("worker", restart="on-failure", exit_code=1, **ENDED), log)
    assert "could not open the journal" in found.problem and "heartbeat" not in found.problem
    assert f"its log at {moments.minute(NOW - 7210)} (2 hours ago)" in found.problem
    assert "docker logs --timestamps --tail 100 lago-worker-1" in found.fix
    calm = told(of("worker", restart="no", exit_code=1, **ENDED), f"{stamp(7202)} Firing heartbeat")
    assert "its log says nothing of why" in calm.problem


def test_an_old_error_is_not_taken_for_the_cause():
    assert telling_line([(0.0, "Error: old"), (990.0, "all is well")], 1000.0) == (990.0, "all is well")
    assert telling_line([(0.0, "")], 1000.0) is None


def test_a_known_cause_of_yesterday_is_not_todays():
    log = f"{stamp(90000)} NOAUTH Authentication required\n{stamp(7202)} out of disk: write failed"
    found = told(of("worker", restart="no", exit_code=1, **ENDED), log)
    assert "NOAUTH" not in found.problem and "write failed" in found.problem


def test_a_cause_that_is_known_says_since_when():
    log = f"{stamp(400)} NOAUTH Authentication required\n{stamp(3)} NOAUTH Authentication required"
    found = told(
        of(
            "worker",
            exit_code=1,
            restarts=9,
            running=False,
            restarting=True,
            status="restarting",
            finished_at=stamp(2),
        ),
        log,
    )
    assert "restarts again and again (restart 9, exit code 1), the last time at" in found.problem
    assert f"(first at {moments.minute(NOW - 400)} (6 min ago)): NOAUTH" in found.problem
    assert "REDIS_URL" in found.fix and "docker logs" in found.fix


def test_a_paused_container_does_not_serve():
    paused = of("worker", status="paused")
    found = told(paused)
    assert "is paused" in found.problem and found.fix == "docker unpause lago-worker-1"
    assert not paused.serving(NOW)


def test_an_unhealthy_container_says_since_when():
    sick = of("api", health="unhealthy", health_output="curl: (7)", failing_streak=11, last_probe_at=NOW - 20)
    sick = msgspec.structs.replace(
        sick,
        service=msgspec.structs.replace(sick.service, healthcheck=Healthcheck(("CMD", "x"), interval=30.0)),
    )
    assert f"since {moments.minute(NOW - 320)} (5 min ago)" in told(sick).problem
    young = msgspec.structs.replace(sick, started_at=stamp(60))
    assert "(60 s ago)" in told(young).problem
    assert " since " not in told(msgspec.structs.replace(sick, last_probe_at=None)).problem


def test_one_cause_is_told_once_and_names_what_waits_for_it():
    broken = of("db", restart="no", exit_code=1, **ENDED)
    waits = {"running": False, "status": "created", "health": None}
    seen = facts(*lago("db", "api", "worker"), broken, of("api", **waits), of("worker", **waits))
    (found,) = services.are_up_and_healthy(seen)
    assert found.service == "lago-db" and "lago-api, lago-worker did not start because of it" in found.problem


def test_what_was_never_started_names_what_it_waits_for():
    waiting = of("api", running=False, status="created", created_at=stamp(600), health=None)
    starting = of("db", health="starting")
    (found,) = services.are_up_and_healthy(facts(*lago("db", "api"), waiting, starting))
    assert "was created and never started; it was created at 2026-" in found.problem
    assert "(10 min ago)" in found.problem
    assert "it waits for lago-db, which is not healthy yet" in found.problem
    assert found.fix.endswith(UP.format("api"))


def test_a_container_without_files_is_started():
    plain = container("front", running=False, status="dead", exit_code=1)
    assert told(plain).fix == "docker rm -f lago-front-1, then: docker start lago-front-1"


def test_dockers_times():
    raw = {
        "id": "a",
        "name": "/a",
        "created": "2026-11-24T10:00:00.1Z",
        "state": {
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {
                "FailingStreak": "x",
                "Log": [{"Start": "2026-11-24T12:00:00.123456789+02:00", "Output": None}],
            },
        },
    }
    found = container_from(raw, {})
    assert (found.finished_at, found.failing_streak) == ("", 0)
    assert (
        found.last_probe_at
        == container_from(
            {**raw, "state": {"Health": {"Log": [{"Start": "2026-11-24T10:00:00Z"}]}}}, {}
        ).last_probe_at
    )
    for odd in (None, 3, "yesterday", "2026-99-24T10:00:00Z"):
        assert (
            container_from({**raw, "state": {"Health": {"Log": [{"Start": odd}]}}}, {}).last_probe_at is None
        )
