"""The stand-in for Lago's API answers as the real one was recorded to, also while parts of it are stopped.

With ``--lago-url`` and ``--lago-api-key-file`` the REST exchanges go to another Lago, into an organization that must
be empty; each test that fails then names what differs there.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_standin_replay import UUID, Comparison, Replay, deliveries, recorded
from support_standin_stack import API_KEY, FILES_HOST, PASSWORD, Stack, spoken
from support_standin_world import World

from lago_acceptance.waiting import until

REST, GRAPHQL, DEGRADED, FILES, WEBHOOKS = (
    {
        entry.get("name") or f"{entry['body']['webhook_type']} to {entry['path']}": entry
        for entry in recorded(name)
    }
    for name in ("rest", "graphql-cors", "degraded", "invoice-pdf", "webhooks")
)


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    if request.config.getoption("--lago-url"):
        pytest.skip("it stops services and reads the database, which is done to the stand-in only")
    import docker

    client = docker.from_env(timeout=60)
    world = World(client)
    try:
        stack = Stack(world)
        stack.start()
        yield stack
    finally:
        world.close()
        client.close()


@pytest.fixture(scope="module")
def rest(request: pytest.FixtureRequest) -> Replay:
    """All REST exchanges, replayed in order."""
    if url := request.config.getoption("--lago-url"):
        key = Path(request.config.getoption("--lago-api-key-file")).read_text().strip()
        replay = Replay(url.rstrip("/"), key)
    else:
        stack: Stack = request.getfixturevalue("stack")
        replay = Replay(stack.url(), API_KEY, PASSWORD, token=stack.token)
    replay.run(list(REST.values()))
    return replay


@pytest.fixture(scope="module")
def graphql(rest: Replay, stack: Stack) -> Replay:
    rest.run(list(GRAPHQL.values()))
    return rest


@pytest.fixture(scope="module")
def degraded(graphql: Replay, stack: Stack) -> dict[str, list[str]]:
    """The same organization with one service after the other stopped: what differs, by the entry's name."""
    stack.post("api", "customers", {"customer": {"external_id": "deg", "name": "deg", "currency": "USD"}})
    subscription = {"external_customer_id": "deg", "plan_code": "starter", "external_id": "deg_sub"}
    stack.post("api", "subscriptions", {"subscription": subscription | {"billing_time": "anniversary"}})
    found = {}
    for name, entry in DEGRADED.items():
        _step(stack, name)
        if "request" in entry:
            graphql.run([entry])
            found[name] = graphql.found[name]
        elif name != "docker_stop_api_takes":
            found[name] = _command_differences(stack, name, entry)
    return found


@pytest.fixture(scope="module")
def files(stack: Stack) -> Replay:
    stack.start_with_files()
    plan = {"name": "S", "code": "s", "interval": "monthly", "amount_cents": 4900, "amount_currency": "USD"}
    subscription = {
        "external_customer_id": "c1",
        "plan_code": "s",
        "external_id": "s1",
        "billing_time": "anniversary",
    }
    stack.post("api-files", "plans", {"plan": plan | {"pay_in_advance": True}})
    stack.post("api-files", "customers", {"customer": {"external_id": "c1", "name": "c"}})
    stack.post("api-files", "subscriptions", {"subscription": subscription})

    def has_file() -> bool:
        invoices = stack.get("api-files", "invoices?external_customer_id=c1")["invoices"]
        return bool(invoices) and invoices[0]["file_url"] is not None

    assert until(has_file, 30), stack.boxes["worker-files"].logs().decode()[-3000:]
    replay = Replay(stack.url("api-files"), API_KEY, PASSWORD, host=FILES_HOST)
    replay.run(list(FILES.values()))
    return replay


@pytest.mark.parametrize("name", REST)
def test_rest_answers_as_recorded(name: str, rest: Replay) -> None:
    assert rest.found[name] == []


@pytest.mark.parametrize("name", GRAPHQL)
def test_graphql_and_preflights_answer_as_recorded(name: str, graphql: Replay) -> None:
    assert graphql.found[name] == []


@pytest.mark.parametrize("name", FILES)
def test_the_way_to_an_invoices_file_is_as_recorded(name: str, files: Replay) -> None:
    assert files.found[name] == []


@pytest.mark.parametrize("name", WEBHOOKS)
def test_webhooks_are_delivered_as_recorded(name: str, graphql: Replay, stack: Stack) -> None:
    there = WEBHOOKS[name]

    def attempts() -> list[list[str]]:
        return [_webhook_differences(graphql, there, here) for here in _delivered(stack, there)]

    assert until(lambda: [] in attempts(), 20), sorted(attempts(), key=len)[:1] or "nothing was delivered"
    assert all(stack.signed_by_the_api(here) for here in _delivered(stack, there))


@pytest.mark.parametrize("name", [name for name in DEGRADED if name != "docker_stop_api_takes"])
def test_with_services_stopped_it_answers_as_recorded(name: str, degraded: dict[str, list[str]]) -> None:
    assert degraded[name] == []


def test_docker_stop_takes_the_whole_grace_period(degraded: dict[str, list[str]], stack: Stack) -> None:
    started = time.monotonic()
    stack.boxes["api"].stop(timeout=3)
    assert time.monotonic() - started >= 3
    assert stack.boxes["api"].wait()["StatusCode"] == 137


def _step(stack: Stack, name: str) -> None:
    """What was done to the services before this entry was recorded."""
    boxes = stack.boxes
    if name == "workerdown_usage_prime":
        boxes["worker"].kill()
    elif name == "workerback_usage":
        boxes["worker"].start()
    elif name == "redisdown_health":
        boxes["redis"].stop()
    elif name == "dbdown_health":
        boxes["redis"].start()
        boxes["db"].stop()
    elif name == "dbback_health":
        boxes["db"].start()
    elif name == "docker_start_api":
        boxes["api"].kill()
        boxes["api"].start()
        stack.await_api()


COMMANDS = {
    "worker_liveness_ok": ("worker", "curl -si -m 3 http://localhost:8080"),
    "worker_liveness_not_reachable_from_outside": ("api", "curl -s -m 3 http://worker:8080"),
    "redis_processes": ("redis", "redis-cli smembers processes"),
    "redis_stats": ("redis", "redis-cli mget stat:processed stat:failed"),
    "workerdown_queues": ("redis", "redis-cli smembers queues; redis-cli smembers processes"),
    "redisdown_worker_liveness": ("worker", "curl -si -m 5 http://localhost:8080"),
    "dbdown_worker_liveness": ("worker", "curl -si -m 5 http://localhost:8080"),
}

NOT_MODELLED = {"integrations", ":0"}
"""A queue that nothing here fills, and what the recorder's shell printed for lengths."""


def _command_differences(stack: Stack, name: str, entry: dict[str, Any]) -> list[str]:
    expected = spoken(entry["output"]) - NOT_MODELLED
    if name in COMMANDS:
        box, command = COMMANDS[name]
        code, output = stack.execute(box, command)
        said = spoken(output)
        wrong = [f"exit code {code} instead of {entry['rc']}"] if code != entry["rc"] else []
        return wrong + ([f"{sorted(said)} instead of {sorted(expected)}"] if said != expected else [])
    box = stack.boxes[re.search("worker|clock|api", entry["command"])[0]]
    box.reload()
    state = f"{box.status} {box.attrs['State']['ExitCode']}"
    said = spoken(box.logs().decode()) | {state, f"{state} {box.attrs['RestartCount']}", "api"}
    # A clock's and a server's last lines are those of a moment; what they are in must be there.
    return sorted(line for line in expected - said if not re.match(r"I, \[|\* +PID", line))


def _delivered(stack: Stack, there: dict[str, Any]) -> list[dict[str, Any]]:
    kind = there["body"]["webhook_type"]
    found = list(deliveries(stack.boxes["hooks"].logs().decode()))
    return [
        here for here in found if here["path"] == there["path"] and f'"webhook_type":"{kind}"' in here["text"]
    ]


def _webhook_differences(replay: Replay, there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    comparison = Comparison(replay)
    for header in (
        "Content-Type",
        "Accept",
        "User-Agent",
        "X-Lago-Signature-Algorithm",
        "Host",
        "Connection",
    ):
        comparison.value(f"header {header}", there["headers"][header], here["headers"].get(header))
    if not re.fullmatch(UUID, here["headers"].get("X-Lago-Unique-Key", "")):
        comparison.differences.append("header X-Lago-Unique-Key is no id")
    # The customer was renamed between the recorded deliveries.
    comparison.value("", _renamed(there["body"]), _renamed(json.loads(here["text"])))
    return comparison.differences


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(body).replace('"Acceptance one"', '"Acceptance 1"'))
