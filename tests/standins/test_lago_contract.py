"""The stand-in for Lago's API answers as the real one was recorded to, also while parts of it are stopped.

With ``--lago-url`` and ``--lago-api-key-file`` the REST exchanges go to another Lago, into an organization that must
be empty and set up as the recorded one, or the run ends at once; each test that fails then names what differs there.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lago_acceptance.core.waiting import until
from tests.support.patience import PATIENCE
from tests.support.standin.containers import world
from tests.support.standin.own_organization import Own
from tests.support.standin.replay import UUID, Comparison, Replay, deliveries, recorded, unlike_recorded
from tests.support.standin.stack import API_KEY, FILES_HOST, PASSWORD, Stack, spoken

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
    with world() as made:
        stack = Stack(made)
        stack.start()
        yield stack


@pytest.fixture(scope="module")
def rest(request: pytest.FixtureRequest) -> Replay:
    """All REST exchanges, replayed in order."""
    if url := request.config.getoption("--lago-url"):
        key = Path(request.config.getoption("--lago-api-key-file")).read_text().strip()
        if lacking := unlike_recorded(url.rstrip("/"), key, REST["organization"]["response"]["json"]):
            pytest.exit(f"the recordings can't be held against {url}: {lacking}", returncode=1)
        replay = Replay(url.rstrip("/"), key)
    else:
        stack: Stack = request.getfixturevalue("stack")
        replay = Replay(stack.url(), API_KEY, PASSWORD, token=stack.token)
    replay.run(list(REST.values()))
    return replay


@pytest.fixture(scope="module")
def own(rest: Replay) -> Own:
    """An organization beside the recorded one, which stays as it was recorded."""
    return Own(rest.url)


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

    assert until(has_file, PATIENCE), stack.boxes["worker-files"].logs().decode()[-3000:]
    replay = Replay(stack.url("api-files"), API_KEY, PASSWORD, host=FILES_HOST)
    replay.run(list(FILES.values()))
    return replay


@pytest.mark.parametrize("name", REST)
def test_rest_answers_as_recorded(name: str, rest: Replay) -> None:
    assert rest.found[name] == []


# --- what no recording holds (docs/lago-facts.md, section 3) ---

PLAN = {"interval": "monthly", "amount_cents": 4900, "amount_currency": "USD", "pay_in_advance": True}


def test_an_organization_is_changed_and_tells_its_taxes_then_alone(own: Own) -> None:
    wanted = {
        "name": "another",
        "country": "IN",
        "legal_name": "Bizoholic",
        "net_payment_term": 30,
        "billing_configuration": {"invoice_footer": "Thank you"},
    }
    changed = own.took("PUT", "organizations", "organization", wanted)
    shown = own.took("GET", "organizations", "organization")
    assert changed == {**shown, "taxes": []} and "taxes" not in shown
    assert (shown["name"], shown["country"], shown["net_payment_term"]) == (own.name, "IN", 30)
    assert shown["billing_configuration"]["invoice_footer"] == "Thank you"
    assert own.ask("PUT", "organizations", {}).status_code == 400
    assert own.refused("PUT", "organizations", "organization", {"default_currency": "XXZ"}) == {
        "default_currency": ["value_is_invalid"]
    }


def _at(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_subscription_is_changed_and_one_that_has_not_begun_can_begin_at_another_time(own: Own) -> None:
    for code, cents in (("first", 4900), ("second", 100)):
        own.took("POST", "plans", "plan", {**PLAN, "name": code, "code": code, "amount_cents": cents})
    wanted = {
        "external_customer_id": "c",
        "external_id": "s",
        "plan_code": "first",
        "subscription_at": _at(days=3),
    }
    made = own.took("POST", "subscriptions", "subscription", wanted)
    # The only one of its id is changed also without its status, and is not shown without it.
    renamed = own.took("PUT", "subscriptions/s", "subscription", {"name": "x"})
    assert (renamed["lago_id"], renamed["name"]) == (made["lago_id"], "x")
    hidden = own.ask("GET", "subscriptions/s")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "subscription_not_found")
    path = "subscriptions/s?status=pending"
    later = _at(days=5)
    changed = own.took(
        "PUT", path, "subscription", {"name": "N", "subscription_at": later, "ending_at": _at(days=90)}
    )
    assert (changed["lago_id"], changed["name"], changed["subscription_at"]) == (made["lago_id"], "N", later)
    assert changed["ending_at"] and changed["plan"]["code"] == "first" and changed["status"] == "pending"
    # Asked for once more it is that one, and another plan takes the place of the first.
    again = own.took("POST", "subscriptions", "subscription", wanted)
    other = own.took("POST", "subscriptions", "subscription", {**wanted, "plan_code": "second"})
    assert again["lago_id"] == other["lago_id"] == made["lago_id"] and other["plan_code"] == "second"
    assert own.refused("PUT", path, "subscription", {"ending_at": "never"}) == {"ending_at": ["invalid_date"]}
    answer = own.ask("PUT", path, {"subscription": {"plan_overrides": {"amount_cents": 1}}})
    assert (answer.status_code, answer.json()["code"]) == (403, "feature_unavailable")
    begun = own.took("PUT", path, "subscription", {"subscription_at": _at(minutes=-1)})
    assert begun["status"] == "active" and begun["started_at"]
    stays = own.took("PUT", "subscriptions/s", "subscription", {"subscription_at": _at(days=9), "name": "M"})
    assert (stays["subscription_at"], stays["name"]) == (begun["subscription_at"], "M")


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"amount_cents": "abc"}, {"amount_cents": ["is not a number"]}),
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
        ({"amount_currency": "XXZ"}, {"amount_currency": ["value_is_invalid"]}),
        ({"code": "kept-2"}, {"code": ["value_already_exist"]}),
    ],
)
def test_a_plan_is_held_to_what_a_change_gives(changes: dict, details: dict, own: Own) -> None:
    for code in ("kept", "kept-2"):
        if own.ask("GET", f"plans/{code}").status_code == 404:
            own.took("POST", "plans", "plan", {**PLAN, "name": code, "code": code})
    assert own.refused("PUT", "plans/kept", "plan", changes) == details
    assert own.took("PUT", "plans/kept", "plan", {"description": "d"})["amount_cents"] == 4900


def test_a_metrics_new_code_must_be_free(own: Own) -> None:
    for code in ("one", "two"):
        own.took(
            "POST",
            "billable_metrics",
            "billable_metric",
            {"name": code, "code": code, "aggregation_type": "count_agg"},
        )
    assert own.refused("PUT", "billable_metrics/one", "billable_metric", {"code": "two"}) == {
        "code": ["value_already_exist"]
    }


def test_a_batch_names_its_wrong_events_by_their_place_and_takes_none(own: Own) -> None:
    repeated = {"transaction_id": "a", "code": "x"}
    nameless = own.refused("POST", "events/batch", "events", [repeated, {"code": "x"}, repeated])
    assert nameless == {"1": {"transaction_id": ["value_is_mandatory"]}}
    # Two that are alike are only found while they are stored, which nothing rescues.
    alike = own.ask("POST", "events/batch", {"events": [repeated, repeated]})
    assert (alike.status_code, alike.json()) == (422, {"status": 422, "error": "Unprocessable Entity"})
    assert own.ask("GET", "events/a").status_code == 404
    own.took("POST", "events", "event", repeated)
    assert own.refused("POST", "events/batch", "events", [{**repeated, "transaction_id": "b"}, repeated]) == {
        "1": {"transaction_id": ["value_already_exist"]}
    }


def test_a_customer_keeps_what_stands_deeper(own: Own) -> None:
    wanted = {
        "external_id": "deep",
        "shipping_address": {"city": "Pune", "country": "IN"},
        "metadata": [{"key": "tenant", "value": "t", "display_in_invoice": True}],
        "billing_configuration": {"document_locale": "fr"},
    }
    own.took("POST", "customers", "customer", wanted)
    own.took("POST", "customers", "customer", {"external_id": "deep", "name": "Deep"})
    shown = own.took("GET", "customers/deep", "customer")
    assert shown["shipping_address"]["city"] == "Pune" and shown["shipping_address"]["zipcode"] is None
    (entry,) = shown["metadata"]
    assert re.fullmatch(UUID, entry.pop("lago_id")) and entry.pop("created_at")
    assert entry == {"key": "tenant", "value": "t", "display_in_invoice": True}
    assert shown["billing_configuration"]["document_locale"] == "fr"


def test_invoices_are_found_by_each_filter(own: Own) -> None:
    own.took("POST", "plans", "plan", {**PLAN, "name": "filtered", "code": "filtered"})
    own.took("POST", "customers", "customer", {"external_id": "f", "name": "Filtered Inc", "currency": "USD"})
    wanted = {
        "external_customer_id": "f",
        "external_id": "f",
        "plan_code": "filtered",
        "billing_time": "anniversary",
    }
    own.took("POST", "subscriptions", "subscription", wanted)

    def listed(query: str) -> list[dict[str, Any]]:
        answer = own.ask("GET", f"invoices?external_customer_id=f&{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["invoices"]

    (invoice,) = until(lambda: listed("status=finalized"), PATIENCE)
    today, earlier, later = (_at(days=day)[:10] for day in (0, -2, 2))
    matching = (
        "invoice_type=subscription",
        "payment_overdue=false",
        "search_term=filtered",
        f"search_term={invoice['number']}",
        f"search_term={invoice['lago_id']}",
    )
    matching += (f"issuing_date_from={earlier}&issuing_date_to={later}", "payment_status=pending")
    others = ("invoice_type=credit", "payment_overdue=true", "search_term=nobody", "payment_status=failed")
    others += (f"issuing_date_from={later}", f"issuing_date_to={earlier}")
    assert {query: len(listed(query)) for query in (*matching, *others)} == {
        **dict.fromkeys(matching, 1),
        **dict.fromkeys(others, 0),
    }, today


@pytest.mark.parametrize("password", ["", " "])
def test_a_sign_up_without_a_password_is_an_error_of_the_server(password: str, own: Own) -> None:
    answer = own.sign_up(f"nobody-{len(password)}@example.test", password)
    assert (answer.status_code, answer.json()) == (500, {"status": 500, "error": "Internal Server Error"})


def test_an_organization_that_is_not_as_the_recorded_one_is_told_in_one_sentence(
    own: Own, rest: Replay
) -> None:
    there = REST["organization"]["response"]["json"]
    said = {
        key: unlike_recorded(rest.url, key, there)
        for key in (own.key, rest.api_key, "11111111-2222-4333-8444-555555555555")
    }
    other, full, refused = said.values()
    assert f"name 'Acceptance', not {own.name!r}" in other and "LAGO_ORG_NAME=Acceptance" in other
    assert "is not empty, it holds plans" in full and "401" in refused
    assert "does not answer" in unlike_recorded("http://127.0.0.1:9", "x", there)


@pytest.mark.parametrize(
    "query", ["{customers{collection{id}}}", "{organization{logoUrl}}", "{plans(x:1){collection{id}}}"]
)
def test_what_is_not_modelled_says_so(query: str, own: Own, stack: Stack) -> None:
    answer = own.graphql(query)
    assert (answer.status_code, answer.json()["code"]) == (501, "outside_of_the_stand_in")
    changed = own.ask("PUT", "organizations", {"organization": {"timezone": "Asia/Kolkata"}})
    assert (changed.status_code, changed.json()["code"]) == (501, "outside_of_the_stand_in")


# The example's secret, with which one session is forged, is a short one.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
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

    assert until(lambda: [] in attempts(), PATIENCE), (
        sorted(attempts(), key=len)[:1] or "nothing was delivered"
    )
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
        problem = [f"exit code {code} instead of {entry['rc']}"] if code != entry["rc"] else []
        return problem + ([f"{sorted(said)} instead of {sorted(expected)}"] if said != expected else [])
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
