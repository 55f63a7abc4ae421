"""Billing's checks fail where they must, on a real stack: the gateway's fallback in every row, and services that stop."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from containers import docker

from lago_acceptance import (
    billing_view,
    catalogue,
    diagnosis,
    gateway_checks,
    runs,
    settings,
    sweeping,
)
from lago_acceptance.attempts import Attempt
from lago_acceptance.clients.connection import NotAnswered, through
from lago_acceptance.clients.gateway import Gateway, operations, required
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.clients.lago import Lago
from lago_acceptance.errors import Blocked
from lago_acceptance.findings import Red
from lago_acceptance.options import ROOT, SHIPPED_COMPOSE_FILE, Options
from lago_acceptance.roles import API, GATEWAY
from lago_acceptance.rounds import Circumstances, Patience, clock
from lago_acceptance.rounds.billing import BillingRound
from lago_acceptance.rounds.gateway import GatewayRound
from lago_acceptance.secret_values import Secret
from lago_acceptance.seeding import plan_drift, seed
from lago_acceptance.stack import Stack
from lago_acceptance.sweeping import Owner
from lago_acceptance.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.docker]

ATTEMPTS = (
    "prepared", "subscribed", "first_invoice", "file", "grown", "charged", "hooks", "terminated", "last_invoice", "removed",
)


IMPOSTOR = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        how = self.path.split("/")[1]
        status, kind, body = {
            "500": (500, "application/json", b'{"status":500,"error":"Internal Server Error"}'),
            "html": (200, "text/html", b"<title>Lago - Cloud</title>"),
        }.get(how, (302, "text/html", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "https://elsewhere.example.test/") if status == 302 else None
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


class World:
    """A stack that has just come up, and what its tests do to it."""

    patience = Patience()

    def __init__(self, folder):
        options = Options(
            target="stack", hosts=(), compose_files=(SHIPPED_COMPOSE_FILE,), env_file=None, settings=ROOT / "settings.toml",
            images="auto", keep=False, deadline=300, reports=folder,
        )
        self.run = runs.start(folder)
        self.stack = Stack(options, settings.load(options.settings), self.run)
        self.stack.wants_gateway = True
        self.catalogue = catalogue.load()

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
    def stopped(self, *services: str) -> Iterator[None]:
        """Services that are stopped for a while. Ends when they are healthy again."""
        names = [self.container(service) for service in services]
        docker("kill", *names)
        try:
            yield
        finally:
            docker("start", *names)
            assert until(lambda: all(_healthy(name) for name in names), 120)
            self._wait_for_routers()

    @contextlib.contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """A service that takes connections and says nothing."""
        docker("pause", self.container(service))
        try:
            yield
        finally:
            docker("unpause", self.container(service))
            assert until(lambda: _healthy(self.container(service)), 120)
            self._wait_for_routers()

    @contextlib.contextmanager
    def changed(self, service: str, **environment: str | None) -> Iterator[None]:
        """A service that is made anew with other variables, and again as it was."""
        import yaml

        whole = self.stack.gateway.project if service == "brain-gateway" else self.stack.project
        path = self.run.private / f"changed-{service}.yml"
        path.write_text(yaml.safe_dump({"services": {service: {"environment": environment}}}))
        images = self.run.reports / ("overlay-gateway.yml" if service == "brain-gateway" else "overlay.yml")
        plain = whole.with_file(images) if images not in whole.files else whole
        self._compose(plain.with_file(path), service)
        try:
            yield
        finally:
            self._compose(plain, service)

    def _compose(self, project, service: str) -> None:
        command = project.arguments("up", "--detach", "--no-deps", "--wait", "--wait-timeout", "120", "--timeout", "1", service)
        ended = subprocess.run(command, env=project.environment(), capture_output=True, text=True, check=False, timeout=180)
        assert ended.returncode == 0, ended.stderr[-500:]
        self._wait_for_routers()

    def _wait_for_routers(self) -> None:
        """Traefik takes a moment to find a container that is new or healthy again."""
        assert until(lambda: _routed(self.gateway.health) and _routed(self.lago.organization), 30)

    def view(self):
        return billing_view.look(self.stack.host, self.stack.observe(), self.stack.network("gateway"))

    def box(self):
        from lago_acceptance.webhook_box import Box

        network = next(iter(self.stack.observe().running("worker").addresses))
        return Box(self.stack.gateway.join(network), self.stack.gateway.box)

    def round(self, around: Circumstances | None = None, box=None) -> BillingRound:
        """A round under a run id of its own: Lago keeps the invoices of an earlier one."""
        owner = Owner(f"{self.run.id[:16]}{secrets.token_hex(3)}", self.owner.machine, self.owner.process)
        return BillingRound(self.lago, owner, self.stack.permit, box, around or Circumstances(), self.patience).run()

    def activation(self, around: Circumstances | None = None) -> None:
        """The clock's round."""
        clock.activation(self.lago, self.owner, self.stack.permit, "starter", around or Circumstances())

    def plans(self, held=None) -> list:
        """The findings about the gateway's plans."""
        view = self.view()
        held = view.listed("api-plans", "plans") if held is None else held
        return list(gateway_checks.plans_are_lagos(self.gateway.plans(self.offered()["plans"]), held, view))

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


def _reds(made: BillingRound) -> dict[str, str]:
    """The red attempts of a round, and the id of each finding."""
    failures = {name: getattr(made, name).failure for name in ATTEMPTS}
    return {name: failure.findings[0].id for name, failure in failures.items() if isinstance(failure, Red)}


def _ids(findings) -> set[str]:
    return {finding.id for finding in findings}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
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
    """The world after the rows that need an empty Lago."""
    return seed(world.lago, world.catalogue, world.stack.permit)


@pytest.fixture
def impatient(monkeypatch):
    """Red comes within seconds."""
    monkeypatch.setattr(World, "patience", Patience(invoice=8, usage=8, file=8, hooks=8))
    monkeypatch.setattr(sweeping, "GONE_SECONDS", 3.0)


def test_a_lago_without_plans_gives_the_gateway_none(world):
    assert world.view().listed("api-plans", "plans") == []
    offered = world.offered()
    assert world.gateway.plans(offered["plans"]) == []
    issuer = world.stack.gateway.issuer
    assert world.gateway.subscribe(offered["subscribe"], "starter", issuer.tenant, issuer.token()).status == 400
    made = _through_gateway(world)
    assert made.subscribed.failure.findings[0].id == "gateway-refused"
    assert "400" in made.subscribed.failure.findings[0].wrong


def test_nothing_is_red_where_all_is_well(world, seeded):
    view = world.view()
    assert seeded.drifted == ()
    assert world.plans() == []
    assert _ids(gateway_checks.finds_lago(view, world.stack.network("gateway"))) == set()
    assert _ids(gateway_checks.key_is_accepted(view)) == set()
    assert _ids(gateway_checks.stranger_is_refused(view)) == set()
    made = world.round(box=world.box())
    assert {name: getattr(made, name).failure for name in ATTEMPTS} == dict.fromkeys(ATTEMPTS)
    assert sweeping.owned(world.lago) == []


def test_the_administrators_login_gives_the_organizations_key(world, seeded):
    graphql = GraphQL(through(world.stack.public_view(), API))
    session = graphql.login(*world.stack.admin)
    assert graphql.api_key(session).reveal() == world.stack.api_key.reveal()
    with pytest.raises(LoginRefused):
        graphql.login(world.stack.admin[0], Secret(secrets.token_hex(12)))


def test_drift_is_told_and_changed_only_when_told(world, seeded):
    starter = next(plan for plan in world.catalogue.plans if plan.code == "starter")
    held = world.lago.get("plans/starter", "plan")
    cheap = {"id": held["charges"][0]["lago_id"], "billable_metric_id": held["charges"][0]["lago_billable_metric_id"],
             "charge_model": "package", "properties": {"amount": "5", "free_units": 1, "package_size": 1000}}
    world.lago.update("plans/starter", "plan", {**starter.as_lago(), "amount_cents": 2900, "charges": [cheap]})
    told = seed(world.lago, world.catalogue, world.stack.permit)
    assert (told.created, told.changed) == ((), ())
    assert {drift.field for drift in told.drifted} == {"amount_cents", "charges"}
    mended = seed(world.lago, world.catalogue, world.stack.permit, reseed=True)
    assert (mended.changed, mended.drifted) == (("starter",), ())
    assert plan_drift(starter, world.lago.get("plans/starter", "plan")) == []


def test_a_key_that_lago_refuses_is_told_although_the_gateway_lists_plans(world, seeded):
    with world.changed("brain-gateway", LAGO_API_KEY="11111111-2222-4333-8444-555555555555"):
        view = world.view()
        assert _ids(gateway_checks.key_is_accepted(view)) == {"gateway-key-refused"}
        found = world.plans()
        assert _ids(found) == {"gateway-plans-are-its-own"}
        assert "401" in found[0].wrong
        assert _ids(gateway_checks.is_healthy(world.gateway.health(), view)) == {"gateway-health-ignores-lago"}
        made = _through_gateway(world)
        subscribed = made.subscribed.judged()
        assert subscribed.answer["status"] == "active"
        assert _ids(gateway_checks.created_in_lago(subscribed.answer, subscribed.plan, subscribed.held)) == {
            "gateway-subscription-is-its-own"
        }
        assert isinstance(made.seen.failure, Blocked)


def _through_gateway(world) -> GatewayRound:
    offered = world.offered()
    made = GatewayRound(world.gateway, world.lago, world.stack.gateway.issuer.token(), world.owner, world.stack.permit,
                        "starter", Circumstances())
    return made.run(lambda name: required(offered, name))


@pytest.fixture(scope="module")
def impostor(world):
    """A server beside Lago that is not Lago: what its path names is how it answers."""
    network, name = world.stack.network("gateway"), f"{world.run.project}-not-lago"
    docker("run", "--detach", "--name", name, "--network", network, "--network-alias", "not-lago",
           world.stack.images["python:3.11-alpine"].reference, "python3", "-c", IMPOSTOR)
    yield "http://not-lago:8000"
    docker("rm", "--force", name)


@pytest.mark.parametrize("how, said", [("500", "500"), ("html", "<title>Lago"), ("redirect", "302")])
def test_whatever_answers_in_lagos_place_the_fallback_is_red_with_the_reason(how, said, world, seeded, impostor):
    with world.changed("brain-gateway", LAGO_API_URL=f"{impostor}/{how}"):
        found = world.plans()
        assert _ids(found) == {"gateway-plans-are-its-own"}
        assert said in found[0].wrong
        assert "gateway-not-answered-by-lago" in _ids(gateway_checks.key_is_accepted(world.view()))
        made = _through_gateway(world)
        subscribed = made.subscribed.judged()
        assert subscribed.answer["status"] == "active"
        assert _ids(gateway_checks.created_in_lago(subscribed.answer, subscribed.plan, subscribed.held)) == {
            "gateway-subscription-is-its-own"
        }
        for name in ("seen", "invoiced", "used"):
            assert getattr(made, name).failure.by == "gateway-subscription-is-its-own", name


def _bought(world) -> dict:
    """What the gateway answers to a subscription now."""
    issuer = world.stack.gateway.issuer
    return world.gateway.subscribe(world.offered()["subscribe"], "starter", issuer.tenant, issuer.token()).taken()


def _must_be_its_own(world, bought: dict) -> None:
    """Bought while Lago gave the gateway nothing: it said active, and Lago, asked now, holds nothing."""
    held = world.lago.all("subscriptions", external_customer_id=world.stack.gateway.issuer.tenant)
    assert _ids(gateway_checks.created_in_lago(bought, "starter", held)) == {"gateway-subscription-is-its-own"}
    assert bought["status"] == "active"


def test_a_lago_that_is_down_is_told_although_the_gateway_lists_plans(world, seeded):
    held = world.view().listed("api-plans", "plans")
    with world.stopped("lago-api"):
        view = world.view()
        assert _ids(gateway_checks.finds_lago(view, world.stack.network("gateway"))) & {
            "gateway-cannot-resolve-lago", "lago-not-reached-by-gateway",
        }
        assert _ids(gateway_checks.key_is_accepted(view)) == {"gateway-not-answered-by-lago"}
        assert _ids(world.plans(held)) == {"gateway-plans-are-its-own"}
        bought = _bought(world)
    _must_be_its_own(world, bought)


def test_a_lago_that_hangs_is_told_although_the_gateway_lists_plans(world, seeded):
    held = world.view().listed("api-plans", "plans")
    with world.frozen("lago-api"):
        found = gateway_checks.plans_are_lagos(world.gateway.plans(world.offered()["plans"]), held, world.view())
        assert _ids(found) == {"gateway-plans-are-its-own"}
        bought = _bought(world)
    _must_be_its_own(world, bought)


def test_authentication_that_is_off_and_the_gateway_of_february_are_told(world, seeded, impatient):
    with world.changed("brain-gateway", DISABLE_AUTH="true", GATEWAY_AS_OBSERVED="true"):
        offered = world.offered()
        reds = {id for name in ("plans", "subscribe", "subscriptions", "invoices", "usage")
                for id in _ids(gateway_checks.offers(name, offered))}
        assert reds == {"gateway-lacks-usage"}
        answer = world.gateway.read(offered["subscriptions"])
        assert _ids(gateway_checks.auth_is_on(answer)) == {"gateway-auth-off"}
        bad = world.gateway.read(offered["subscriptions"], world.stack.gateway.issuer.forged())
        assert _ids(gateway_checks.token_is_refused("a forged token", bad)) == {"gateway-takes-bad-token"}
    with world.changed("brain-gateway", GATEWAY_AS_OBSERVED="true"):
        assert _through_gateway(world).invoiced.failure.findings[0].id == "gateway-invoice-not-shown"


def test_a_second_container_with_lagos_name_is_told(world, seeded):
    network = world.stack.network("gateway")
    name = f"{world.run.project}-impostor"
    docker("run", "--detach", "--name", name, "--network", network, "--network-alias", "lago-api",
           world.stack.images["python:3.11-alpine"].reference, "sleep", "120")
    try:
        assert "lago-name-shared" in _ids(gateway_checks.finds_lago(world.view(), network))
    finally:
        docker("rm", "--force", name)


def test_a_stopped_worker_is_red_where_its_work_is_missed(world, seeded, impatient):
    box = world.box()
    with world.stopped("lago-worker"):
        reds = _reds(world.round(box=box))
        assert reds == {
            "first_invoice": "invoice-missing", "grown": "usage-does-not-grow", "hooks": "webhook-not-delivered",
            "removed": "round-not-removed",
        }
        explained = world.round(Circumstances({"worker": "service-down"}), box)
        assert _reds(explained) == {}
        for name in ("first_invoice", "grown", "hooks", "removed"):
            assert getattr(explained, name).failure.by == "service-down", name
    assert until(lambda: _swept(world), 30)


def _swept(world) -> bool:
    mine = sweeping.owned(world.lago)
    return Attempt.of(sweeping.remove, world.lago, mine, world.stack.permit).judged() == []


def test_a_stopped_clock_is_red_in_activation_alone(world, seeded, impatient, monkeypatch):
    monkeypatch.setattr(clock, "TICK_SECONDS", 8.0)
    with world.stopped("lago-clock"):
        with pytest.raises(Red) as raised:
            world.activation()
        assert _ids(raised.value.findings) == {"subscription-not-activated"}
        assert raised.value.findings[0].role == "clock"
        assert _reds(world.round(box=world.box())) == {}
        facts = world.stack.observe()
        assert {container.role for container in facts.containers if diagnosis.explain(facts, container, "service-down")} == {"clock"}
        with pytest.raises(Blocked) as blocked:
            world.activation(Circumstances({"clock": diagnosis.blocker(facts)}))
        assert blocked.value.by == "service-down"
    assert sweeping.owned(world.lago) == []


def test_a_clock_that_ticks_activates(world, seeded):
    # It looks after what is due at its start already, and every five minutes from then.
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(world.activation)
        assert until(lambda: world.lago.all("subscriptions", **{"status[]": "pending"}), 10)
        docker("restart", "--time", "1", world.container("lago-clock"))
        assert waiting.result(timeout=120) is None


def test_a_stopped_pdf_service_is_red_in_the_file_alone(world, seeded, impatient):
    with world.stopped("lago-pdf"):
        assert _reds(world.round(box=world.box())) == {"file": "invoice-without-file"}


def test_a_worker_without_the_cache_is_red_in_usage_alone(world, seeded, impatient):
    with world.changed("lago-worker", LAGO_REDIS_CACHE_URL=None):
        assert _reds(world.round(box=world.box())) == {"grown": "usage-does-not-grow"}


def test_events_without_their_worker_are_red_in_usage_alone(world, seeded, impatient):
    with world.changed("lago-api", SIDEKIQ_EVENTS="true"):
        assert _reds(world.round(box=world.box())) == {"grown": "usage-does-not-grow"}


def test_what_a_killed_run_left_is_swept_and_nothing_else(world, seeded):
    gone = Owner("20200101-000000-abcdef", world.owner.machine, "999999999-1")
    name = f"{runs.PREFIX}{gone.run}-customer"
    strangers = {
        "not-ours": gone.mark,  # the mark without the name
        f"{name}-2": "",  # the name without the mark
        f"{runs.PREFIX}{world.run.id}-other": world.owner.mark,  # a run that still goes on
    }
    for external_id, mark in {name: gone.mark, **strangers}.items():
        world.lago.create("customers", "customer", {"external_id": external_id, "name": external_id, "legal_name": mark})
    found, left = sweeping.sweep(world.lago, world.stack.permit)
    assert (found, left) == ([f"customer {name}"], [])
    assert world.lago.find(f"customers/{name}", "customer") is None
    for external_id in strangers:
        assert world.lago.find(f"customers/{external_id}", "customer"), external_id
        world.lago.delete(f"customers/{external_id}")
