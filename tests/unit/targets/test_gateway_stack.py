"""The gateway beside a stack: how long it is waited for, what is said of one that does not come up, and its files."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.composefile.cli import config
from lago_acceptance.core import run
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret
from lago_acceptance.hosts.base import CommandResult
from lago_acceptance.targets.stack.gateway import GatewayStack

KEY = "the-key-0f-this-gateway-7d3"


class PretendedHost:
    """A Docker with one container of the gateway, in this state."""

    def __init__(self, **state):
        self.state, self.changes = state, []

    def read(self, command) -> str:
        if command.name == "gateway's log":
            return "Started\nsqlalchemy: no such host brain-db\nkey the-key-0f-this-gateway-7d3\n\n"
        seen = {
            "id": "g",
            "name": "/gateway",
            "state": {"Status": "running", "Running": True, "ExitCode": 0, **self.state},
            "restarts": 0,
            "image": "brain-gateway",
            "labels": {"com.docker.compose.service": "brain-gateway"},
            "healthcheck": {"Test": ["CMD", "true"]},
        }
        return json.dumps(seen)

    def change(self, command, permit) -> CommandResult:
        self.changes.append(command)
        return CommandResult(0, "")


@pytest.fixture
def started(tmp_path):
    made = run.start(tmp_path)
    yield made
    made.close()


def _stack(started, host, **more) -> GatewayStack:
    networks = {"gateway": "brain", "proxy": "proxy"}
    return GatewayStack(started, host, Permit("a test"), Secret(KEY), networks, "brain.example.test", **more)


def _up(stack: GatewayStack) -> None:
    stack.up(stack.project, lambda project, give_up: CommandResult(0, ""))


def test_one_that_is_not_healthy_in_time_is_told_with_its_health_and_its_log(started):
    health = {"Status": "starting", "Log": [{"Output": '{"status":"unhealthy"}', "ExitCode": 1}]}
    host = PretendedHost(Health=health)
    stack = _stack(started, host, seconds=0.2)
    _up(stack)
    assert stack.failed.startswith("it is not healthy after 0 s; brain-gateway is starting")
    assert 'its last health check said: {"status":"unhealthy"}' in stack.failed
    assert "its last line: key" in stack.failed and KEY not in stack.failed
    assert host.changes == []


def test_one_that_has_ended_is_told_with_its_log(started):
    stack = _stack(started, PretendedHost(Status="exited", Running=False, ExitCode=3), seconds=5)
    _up(stack)
    assert stack.failed.startswith("brain-gateway has ended with exit code 3; its last line: ")


def test_one_that_is_healthy_gets_its_tenant(started):
    host = PretendedHost(Health={"Status": "healthy", "Log": []})
    stack = _stack(started, host, seconds=5)
    _up(stack)
    assert stack.failed is None and stack.remark == ""
    assert host.changes[0].environment["tenant"] == stack.issuer.tenant


def test_its_file_is_laid_over_the_testbeds(started, tmp_path):
    more = tmp_path / "more.yml"
    more.write_text(
        "services: {brain-gateway: {environment: {MORE: 'yes'}}, temporal: {image: temporal:1, networks: [own]}}"
    )
    stack = _stack(started, PretendedHost(), seconds=240, file=more)
    services = config(stack.project).document["services"]
    assert "temporal" in services
    environment = services["brain-gateway"]["environment"]
    assert environment["MORE"] == "yes"
    assert environment["CLERK_ISSUER"] == environment["AUTHENTIK_ISSUER"] == "http://issuer.example.test:8000"
    password = services["brain-db"]["environment"]["POSTGRES_PASSWORD"]
    assert f":{password}@brain-db:5432/brain" in environment["DATABASE_URL"] and len(password) == 32
    assert services["brain-gateway"]["healthcheck"]["start_period"] == "4m0s"
    assert services["webhook-receiver"]["networks"]["own"]["aliases"] == ["issuer.example.test"]
