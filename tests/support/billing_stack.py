"""A stack on which billing's checks are made to fail: services are stopped, frozen, or made anew with other
variables.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator

import pytest

from lago_acceptance.checks import gateway_plans, inside
from lago_acceptance.clients.answers import NotAnswered
from lago_acceptance.clients.connection import through
from lago_acceptance.clients.gateway import Gateway, operations
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core import resources, run, settings
from lago_acceptance.core.options import Options
from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.core.waiting import until
from lago_acceptance.plans import catalogue
from lago_acceptance.plans.seeding import seed
from lago_acceptance.scenarios import cleanup, clock_activation
from lago_acceptance.scenarios.billing_cycle import BillingCycle
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.context import Timeouts
from lago_acceptance.scenarios.preconditions import Preconditions
from lago_acceptance.targets.stack.stack import Stack
from tests.support.containers import docker
from tests.support.patience import PATIENCE


class World:
    """A stack that has just come up, and what its tests do to it."""

    timeouts = Timeouts()

    def __init__(self, folder):
        options = Options(reports=folder, deadline=300)
        self.run = run.start(folder)
        self.stack = Stack(options, settings.load(options.settings), self.run)
        self.stack.wants_gateway = True
        self.catalogue = catalogue.load(resources.COMPOSE / "plans.yml")

    def up(self) -> None:
        self.stack.prepare()
        self.stack.up()
        assert self.stack.bring_up.failed is None
        assert self.stack.gateway.failed is None
        view = self.stack.public_view()
        self.lago = Lago(through(view, API, 10), self.stack.api_key)
        self.gateway = Gateway(through(view, GATEWAY, 30))
        self.owner = Owner.of(self.run)

    def container(self, service: str) -> str:
        project = self.stack.gateway.project.name if service == "brain-gateway" else self.run.project
        return f"{project}-{service}-1"

    @contextlib.contextmanager
    def stopped(self, *services: str, by: str = "kill") -> Iterator[None]:
        """Services that are stopped for a while, ``by`` this command of Docker. Ends when they are healthy again."""
        names = [self.container(service) for service in services]
        docker(by, *names)
        try:
            yield
        finally:
            docker("start", *names)
            assert until(lambda: all(_healthy(name) for name in names), PATIENCE)
            self._wait_for_routers()

    @contextlib.contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """A service that takes connections and says nothing."""
        docker("pause", self.container(service))
        try:
            yield
        finally:
            docker("unpause", self.container(service))
            assert until(lambda: _healthy(self.container(service)), PATIENCE)
            self._wait_for_routers()

    @contextlib.contextmanager
    def changed(self, service: str, **environment: str | None) -> Iterator[None]:
        """A service that is made anew with other variables, and again as it was."""
        with self.overridden(service, environment=environment):
            yield

    @contextlib.contextmanager
    def overridden(self, service: str, **parts: object) -> Iterator[None]:
        """A service that is made anew with these parts of its declaration, and again as it was."""
        import yaml

        path = self.run.private / f"changed-{service}.yml"
        path.write_text(yaml.safe_dump({"services": {service: parts}}))
        plain = self.stack._gateway_project if service == "brain-gateway" else self.stack.project
        self._compose(plain.with_file(path), service)
        try:
            yield
        finally:
            self._compose(plain, service)

    def _compose(self, project, service: str) -> None:
        command = project.arguments(
            "up", "--detach", "--no-deps", "--wait", "--wait-timeout", "120", "--timeout", "1", service
        )
        ended = subprocess.run(
            command, env=project.environment(), capture_output=True, text=True, check=False, timeout=180
        )
        assert ended.returncode == 0, ended.stderr[-500:]
        self._wait_for_routers()

    def _wait_for_routers(self) -> None:
        """Traefik takes a moment to find a container that is new or healthy again."""
        assert until(lambda: _routed(self.gateway.health) and _routed(self.lago.organization), PATIENCE)

    def view(self):
        return self.stack.read_inside(self.stack.observe())

    def receiver(self):
        network = next(iter(self.stack.observe().running("worker").addresses))
        return self.stack.gateway.receiver_on(network)

    def cycle(self, preconditions: Preconditions | None = None, receiver=None) -> BillingCycle:
        """A billing cycle under a run id of its own: Lago keeps the invoices of an earlier one."""
        owner = Owner(f"{self.run.id[:16]}{secrets.token_hex(3)}", self.owner.machine, self.owner.process)
        return BillingCycle(
            self.lago, owner, self.stack.permit, receiver, preconditions or Preconditions(), self.timeouts
        ).run()

    def activation(self, preconditions: Preconditions | None = None) -> None:
        """The clock's round."""
        clock_activation.activation(
            self.lago, self.owner, self.stack.permit, "starter", preconditions or Preconditions()
        )

    def plans(self, held=None) -> list:
        """The findings about the gateway's plans, with its log as it is after they were listed."""
        shown = self.gateway.plans(self.offered()["plans"])
        view = self.view()
        held = inside.listed(view, "api-plans", "plans") if held is None else held
        return list(gateway_plans.plans_are_lagos(shown, held, view))

    def offered(self):
        return operations(self.gateway.openapi())


def _routed(ask) -> bool:
    try:
        ask()
    except NotAnswered:
        return False
    return True


def _healthy(container: str) -> bool:
    return docker("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy"


def ids(findings) -> set[str]:
    """The ids of findings."""
    return {finding.id for finding in findings}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    """A stack with its gateway, for one file of tests."""
    os.environ.pop("DOCKER_HOST", None)
    made = World(tmp_path_factory.mktemp("reports"))
    try:
        made.up()
        yield made
    finally:
        left = made.stack.down()
        made.run.close()
        assert left == ""


@pytest.fixture(scope="module")
def seeded(world):
    """What seeding it did; rows that need an empty Lago come before."""
    return seed(world.lago, world.catalogue, world.stack.permit)


@pytest.fixture
def impatient(monkeypatch):
    """Red comes within seconds, and green on a busy machine too."""
    monkeypatch.setattr(World, "timeouts", Timeouts(invoice=15, usage=15, file=15, webhooks=15))
    monkeypatch.setattr(cleanup, "GONE_SECONDS", 10.0)
