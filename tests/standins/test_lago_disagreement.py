"""Services of the stand-in that disagree with each other fail as those of the real Lago were seen to.

Their healthchecks are green in all of these; only a round of billing shows what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from lago_acceptance.core.waiting import until
from tests.support.patience import PATIENCE
from tests.support.standin.boot import key_values
from tests.support.standin.containers import world
from tests.support.standin.replay import deliveries
from tests.support.standin.stack import Stack

LONG_ENOUGH = 4
"""Seconds after which what didn't happen won't; with nothing amiss it takes less than half of one."""

ELSEWHERE = {"REDIS_URL": "redis://lago-redis:6379/15"}
CHARGE = {"charge_model": "package", "properties": {"amount": "5", "free_units": 10, "package_size": 10}}
PLAN = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 4900, "amount_currency": "USD"}
SUBSCRIPTION = {
    "external_customer_id": "c",
    "plan_code": "p",
    "external_id": "s",
    "billing_time": "anniversary",
}
USAGE = "customers/c/current_usage?external_subscription_id=s"


@dataclass(frozen=True)
class Outcome:
    """What a round of billing shows. `signed` is None when no webhook came."""

    invoice: bool = True
    grows: bool = True
    signed: bool | None = True


@dataclass(frozen=True)
class Case:
    expected: Outcome
    of_role: dict[str, dict[str, str]] = field(default_factory=dict)


CASES = {
    "nothing differs": Case(Outcome()),
    "no cache URL on the worker": Case(Outcome(grows=False), {"worker": {"LAGO_REDIS_CACHE_URL": ""}}),
    "another key in the worker": Case(
        Outcome(signed=False), {"worker": {"LAGO_RSA_PRIVATE_KEY": str(key_values()["rsa_b64_pkcs8"])}}
    ),
    "another Redis database for the worker": Case(
        Outcome(invoice=False, grows=False, signed=None), {"worker": ELSEWHERE}
    ),
    "an events queue and nobody at it": Case(Outcome(grows=False), {"api": {"SIDEKIQ_EVENTS": "true"}}),
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with world() as made:
        stack = Stack(made)
        stack.start_parts()
        yield stack


@pytest.fixture(scope="module")
def outcomes(stack: Stack) -> Iterator[dict[str, Future[Outcome]]]:
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(_round, stack, number, CASES[name]) for number, name in enumerate(CASES)}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.exhaustive
def test_a_round_of_billing_shows_who_disagrees(name: str, outcomes: dict[str, Future[Outcome]]) -> None:
    assert outcomes[name].result() == CASES[name].expected


@pytest.mark.exhaustive
def test_the_worker_warns_of_a_redis_that_evicts(stack: Stack, outcomes: dict[str, Future[Outcome]]) -> None:
    assert all(future.result() for future in outcomes.values())
    warning = "Your Redis instance will evict Sidekiq data under heavy load."
    worker = stack.boxes["worker-case0"]
    assert warning not in worker.logs().decode()
    stack.execute("redis", "redis-cli config set maxmemory-policy allkeys-lru")
    worker.restart(timeout=0)
    assert until(lambda: warning in worker.logs().decode(), PATIENCE), worker.logs().decode()[-2000:]


def _round(stack: Stack, number: int, case: Case) -> Outcome:
    suffix = f"-case{number}"
    api = f"api{suffix}"
    stack.start_lago(suffix, {"REDIS_URL": f"redis://lago-redis:6379/{number}"}, case.of_role)
    for box in (f"worker{suffix}", api):
        port = 3000 if box == api else 8080
        alive = f"curl -fsS -m 3 http://localhost:{port}/health"
        assert until(lambda box=box, alive=alive: stack.execute(box, alive)[0] == 0, PATIENCE), (
            f"{box} is not healthy"
        )

    stack.post(api, "webhook_endpoints", {"webhook_endpoint": {"webhook_url": f"http://hooks:8000/{number}"}})
    metric = {"name": "M", "code": "m", "aggregation_type": "count_agg"}
    metric_id = stack.post(api, "billable_metrics", {"billable_metric": metric})["billable_metric"]["lago_id"]
    charges = [CHARGE | {"billable_metric_id": metric_id}]
    stack.post(api, "plans", {"plan": PLAN | {"pay_in_advance": True, "charges": charges}})
    stack.post(api, "subscriptions", {"subscription": SUBSCRIPTION})
    stack.get(api, USAGE)
    event = {"transaction_id": "t", "code": "m", "external_subscription_id": "s"}
    stack.post(api, "events", {"event": event})

    def webhooks() -> list[dict]:
        found = deliveries(stack.boxes["hooks"].logs().decode())
        return [
            one for one in found if one["path"] == f"/{number}" and '"subscription.started"' in one["text"]
        ]

    def happens(look: Callable[[], object], expected: bool) -> bool:
        return bool(until(look, PATIENCE if expected else LONG_ENOUGH))

    expected = case.expected
    return Outcome(
        invoice=happens(lambda: stack.get(api, "invoices")["invoices"], expected.invoice),
        grows=happens(lambda: _units(stack, api) == "1.0", expected.grows),
        signed=(
            all(stack.signed_by_the_api(one, api) for one in webhooks())
            if happens(webhooks, expected.signed is not None)
            else None
        ),
    )


def _units(stack: Stack, api: str) -> str:
    return stack.get(api, USAGE)["customer_usage"]["charges_usage"][0]["units"]
