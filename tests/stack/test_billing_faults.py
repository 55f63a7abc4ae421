"""Each fault of a service is red in the check that names it, and there alone; where all is well nothing
is.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from lago_acceptance.checks import diagnosis, gateway_inside
from lago_acceptance.clients.connection import through
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.core import run
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Red
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.core.waiting import until
from lago_acceptance.plans.seeding import plan_drift, seed
from lago_acceptance.scenarios import cleanup, clock_activation
from lago_acceptance.scenarios.billing_cycle import BillingCycle
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.preconditions import Preconditions
from tests.support.billing_stack import ids
from tests.support.containers import docker
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]

ATTEMPTS = (
    "prepared",
    "subscribed",
    "first_invoice",
    "file",
    "grown",
    "charged",
    "webhooks",
    "terminated",
    "last_invoice",
    "removed",
)


def _reds(made: BillingCycle) -> dict[str, str]:
    """The red attempts of a round, and the id of each finding."""
    failures = {name: getattr(made, name).failure for name in ATTEMPTS}
    return {name: failure.findings[0].id for name, failure in failures.items() if isinstance(failure, Red)}


def test_nothing_is_red_where_all_is_well(world, seeded):
    view = world.view()
    assert seeded.drifted == ()
    assert world.plans() == []
    assert ids(gateway_inside.finds_lago(view, world.stack.network("gateway"))) == set()
    assert ids(gateway_inside.key_is_accepted(view)) == set()
    assert ids(gateway_inside.invalid_key_is_refused(view)) == set()
    made = world.cycle(receiver=world.receiver())
    assert {name: getattr(made, name).failure for name in ATTEMPTS} == dict.fromkeys(ATTEMPTS)
    assert cleanup.owned(world.lago) == []


def test_the_administrators_login_gives_the_organizations_key(world, seeded):
    graphql = GraphQL(through(world.stack.public_view(), API))
    session = graphql.login(*world.stack.admin)
    assert graphql.api_key(session).reveal() == world.stack.api_key.reveal()
    with pytest.raises(LoginRefused):
        graphql.login(world.stack.admin[0], Secret(secrets.token_hex(12)))


def test_drift_is_told_and_changed_only_when_told(world, seeded):
    starter = next(plan for plan in world.catalogue.plans if plan.code == "starter")
    held = world.lago.get("plans/starter", "plan")
    cheap = {
        "id": held["charges"][0]["lago_id"],
        "billable_metric_id": held["charges"][0]["lago_billable_metric_id"],
        "charge_model": "package",
        "properties": {"amount": "5", "free_units": 1, "package_size": 1000},
    }
    world.lago.update(
        "plans/starter", "plan", {**starter.as_lago(), "amount_cents": 2900, "charges": [cheap]}
    )
    told = seed(world.lago, world.catalogue, world.stack.permit)
    assert (told.created, told.changed) == ((), ())
    assert {drift.field for drift in told.drifted} == {"amount_cents", "charges"}
    repaired = seed(world.lago, world.catalogue, world.stack.permit, reseed=True)
    assert (repaired.changed, repaired.drifted) == (("starter",), ())
    assert plan_drift(starter, world.lago.get("plans/starter", "plan")) == []


def test_a_stopped_worker_is_red_where_its_work_is_missed(world, seeded, impatient):
    receiver = world.receiver()
    with world.stopped("lago-worker"):
        reds = _reds(world.cycle(receiver=receiver))
        assert reds == {
            "first_invoice": "invoice-missing",
            "grown": "usage-does-not-grow",
            "webhooks": "webhook-not-delivered",
            "removed": "round-not-removed",
        }
        explained = world.cycle(Preconditions({"worker": "service-down"}), receiver)
        assert _reds(explained) == {}
        for name in ("first_invoice", "grown", "webhooks", "removed"):
            assert getattr(explained, name).failure.by == "service-down", name
    assert until(lambda: _swept(world), PATIENCE)


def _swept(world) -> bool:
    mine = cleanup.owned(world.lago)
    return Attempt.of(cleanup.remove, world.lago, mine, world.stack.permit).value() == []


def test_a_stopped_clock_is_red_in_activation_alone(world, seeded, impatient, monkeypatch):
    monkeypatch.setattr(clock_activation, "TICK_SECONDS", 8.0)
    with world.stopped("lago-clock"):
        with pytest.raises(Red) as raised:
            world.activation()
        assert ids(raised.value.findings) == {"subscription-not-activated"}
        assert raised.value.findings[0].role == "clock"
        assert _reds(world.cycle(receiver=world.receiver())) == {}
        facts = world.stack.observe()
        assert {
            container.role
            for container in facts.containers
            if diagnosis.explain(facts, container, "service-down")
        } == {"clock"}
        with pytest.raises(Blocked) as blocked:
            world.activation(Preconditions({"clock": diagnosis.blocker(facts)}))
        assert blocked.value.by == "service-down"
    assert cleanup.owned(world.lago) == []


def test_a_clock_that_ticks_activates(world, seeded):
    # It looks after what is due at its start already, and every five minutes from then.
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(world.activation)
        assert until(lambda: world.lago.all("subscriptions", **{"status[]": "pending"}), PATIENCE)
        docker("restart", "--time", "1", world.container("lago-clock"))
        assert waiting.result(timeout=PATIENCE) is None


@pytest.mark.exhaustive
def test_a_stopped_pdf_service_is_red_in_the_file_alone(world, seeded, impatient):
    with world.stopped("lago-pdf"):
        assert _reds(world.cycle(receiver=world.receiver())) == {"file": "invoice-without-file"}


@pytest.mark.exhaustive
def test_a_worker_without_the_cache_is_red_in_usage_alone(world, seeded, impatient):
    with world.changed("lago-worker", LAGO_REDIS_CACHE_URL=None):
        assert _reds(world.cycle(receiver=world.receiver())) == {"grown": "usage-does-not-grow"}


@pytest.mark.exhaustive
def test_events_without_their_worker_are_red_in_usage_alone(world, seeded, impatient):
    with world.changed("lago-api", SIDEKIQ_EVENTS="true"):
        assert _reds(world.cycle(receiver=world.receiver())) == {"grown": "usage-does-not-grow"}


def test_what_a_killed_run_left_is_swept_and_nothing_else(world, seeded):
    gone = Owner("20200101-000000-abcdef", world.owner.machine, "999999999-1")
    name = f"{run.PREFIX}{gone.run}-customer"
    strangers = {
        "not-ours": gone.mark,  # the mark without the name
        f"{name}-2": "",  # the name without the mark
        f"{run.PREFIX}{world.run.id}-other": world.owner.mark,  # a run that still goes on
    }
    for external_id, mark in {name: gone.mark, **strangers}.items():
        world.lago.create(
            "customers", "customer", {"external_id": external_id, "name": external_id, "legal_name": mark}
        )
    found, left = cleanup.sweep(world.lago, world.stack.permit)
    assert (found, left) == ([f"customer {name}"], [])
    assert world.lago.find(f"customers/{name}", "customer") is None
    for external_id in strangers:
        assert world.lago.find(f"customers/{external_id}", "customer"), external_id
        world.lago.delete(f"customers/{external_id}")
