"""Documents of any shape, and ids of any text, where Lago's and the gateway's are expected: findings, never errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_acceptance.clients import lago as lago_client
from lago_acceptance.clients.answers import NotAnswered, Refused
from lago_acceptance.clients.connection import LARGEST, Connection
from lago_acceptance.clients.gateway import CAPABILITIES, Gateway, Operation, operations
from lago_acceptance.clients.graphql import GraphQL, LoginRefused, Session
from lago_acceptance.clients.lago import Lago
from lago_acceptance.clients.paths import path_of
from lago_acceptance.clients.webhook_receiver import Delivery
from lago_acceptance.core.documents import DEEPEST, parse
from lago_acceptance.core.findings import Red
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked, Unknown
from tests.support.edge_servers import raw_server
from tests.support.hostile_servers import answering

BASE = "https://lago.example.test"
KEY = Secret("a-key-of-this-test")
# The words that the clients look for, so that what is generated gets past the first look.
WORDS = st.sampled_from(
    [
        "plans",
        "plan",
        "lago_id",
        "code",
        "amount_cents",
        "amount_currency",
        "charges",
        "properties",
        "meta",
        "next_page",
        "total_count",
        "data",
        "loginUser",
        "token",
        "user",
        "organizations",
        "id",
        "errors",
        "extensions",
        "details",
        "message",
        "organization",
        "apiKey",
        "name",
        "webhook",
        "public_key",
        "paths",
        "servers",
        "url",
        "get",
        "post",
        "parameters",
        "$ref",
        "in",
        "query",
        "requestBody",
        "content",
        "application/json",
        "schema",
        "allOf",
        "properties",
        "customer_usage",
        "charges_usage",
        "units",
        "billable_metric",
        "/api/billing/plans",
        "/api/billing/subscribe",
        "components",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | WORDS
    | st.sampled_from(["#/paths", "#/components", "http://[", "../..", "a\r\nb", "\x1b[2J", "ü"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=25,
)
CALLS = {
    "list": lambda made: Lago(made, KEY).all("plans"),
    "some": lambda made: Lago(made, KEY).some("invoices"),
    "count": lambda made: Lago(made, KEY).count("invoices"),
    "get": lambda made: Lago(made, KEY).get("plans/x", "plan"),
    "usage": lambda made: Lago(made, KEY).usage("x", "y"),
    "organization": lambda made: Lago(made, KEY).organization(),
    "public key": lambda made: Lago(made, KEY).public_key(),
    "login": lambda made: GraphQL(made).login("a@example.test", KEY),
    "api key": lambda made: GraphQL(made).api_key(Session(KEY, "o")),
    "sign up": lambda made: GraphQL(made).sign_up("a@example.test", KEY, "o"),
    "openapi": lambda made: operations(Gateway(made).openapi()),
    "gateway plans": lambda made: Gateway(made).plans(Operation("GET", "/api/billing/plans")),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Connection]:
    """One connection for all examples of a test."""
    made = Connection("api", BASE)
    yield made
    made.close()


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=60, deadline=None)
@given(body=JSON, status=st.sampled_from([200, 200, 200, 201, 401, 404, 500]))
def test_any_document_is_taken_or_refused(call, shared, body, status):
    with respx.mock:
        respx.route().mock(
            return_value=httpx.Response(
                status, text=json.dumps(body), headers={"Content-Type": "application/json"}
            )
        )
        with suppress(Red, Blocked, Unknown, LoginRefused):
            CALLS[call](shared)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(WORDS, JSON, max_size=6))
def test_any_openapi_document_gives_operations_that_can_be_asked(document):
    for operation in operations(document).values():
        assert urlsplit(operation.path).path == operation.path
        assert all(isinstance(name, str) for name in (*operation.query, *operation.body))


def test_an_openapi_document_that_grows_when_it_is_read_is_read_in_bounded_time():
    """Each schema refers to itself many times, each server and each path may be combined."""
    again = {"$ref": "#/components/schemas/Wide"}
    body = {"content": {"application/json": {"schema": again}}}
    document = {
        "paths": {f"/api/billing/x{number}": {} for number in range(20000)}
        | {"/api/billing/subscribe": {"post": {"requestBody": body}}},
        "servers": [{"url": f"/base{number}"} for number in range(20000)],
        "components": {"schemas": {"Wide": {"properties": {"plan": {}}, "allOf": [again] * 1000}}},
    }
    started = time.process_time()
    assert operations(document)["subscribe"].body == ("plan",)
    assert time.process_time() - started < 30


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_document_or_a_value_error(content):
    with suppress(ValueError):
        parse(content)


def test_a_document_may_be_deep_and_not_too_deep():
    assert parse("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)) is not None
    for levels in (DEEPEST + 1, 900, 10**6):
        with pytest.raises(ValueError, match="levels deep"):
            parse("[" * levels + "]" * levels)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=50), st.text(max_size=50) | JSON.map(json.dumps), st.text(max_size=50))
def test_any_webhook_and_key_are_told(token, body, key):
    delivery = Delivery("/", {"X-Lago-Signature": token}, body)
    assert isinstance(delivery.type, str)
    assert delivery.trouble(key)


# --- lists without end ---


def _page(number: int, entries: int = 1, size: int = 10) -> httpx.Response:
    plan = {"lago_id": "x", "code": "c" * size, "amount_cents": 0, "amount_currency": "USD"}
    return httpx.Response(200, json={"plans": [plan] * entries, "meta": {"next_page": number + 1}})


@respx.mock
def test_a_list_of_large_pages_without_end_is_too_large(connection):
    route = respx.route().mock(side_effect=lambda request: _page(int(request.url.params["page"]), 100, 2000))
    with pytest.raises(NotAnswered, match="the list has not ended after") as raised:
        Lago(connection, KEY).all("plans")
    assert raised.value.findings[0].id == "api-too-large"
    assert route.call_count < LARGEST / 200000 + 2


@respx.mock
def test_a_list_of_empty_pages_without_end_is_slow(connection, monkeypatch):
    monkeypatch.setattr(lago_client, "LIST_SECONDS", 0.5)
    respx.route().mock(side_effect=lambda request: _page(int(request.url.params["page"]), 0))
    with pytest.raises(NotAnswered, match="the list has not ended after") as raised:
        Lago(connection, KEY).all("plans")
    assert raised.value.findings[0].id == "api-slow"


@respx.mock
def test_what_is_wrong_with_an_object_is_told(connection):
    respx.route().mock(return_value=httpx.Response(200, json={"plan": {"code": "x", "lago_id": 5}}))
    with pytest.raises(Refused, match=r"plan: Expected `str`, got `int` - at `\$.lago_id`"):
        Lago(connection, KEY).get("plans/x", "plan")


# --- ids in paths, URLs in answers, and where a key goes ---

IDS = {
    "a/../../organizations": "a%2F..%2F..%2Forganizations",
    "%2e%2e/x": "%252e%252e%2Fx",
    "x?status=pending": "x%3Fstatus%3Dpending",
    "x#y": "x%23y",
    "http://evil.test/": "http%3A%2F%2Fevil.test%2F",
    "a b": "a%20b",
    "ü": "%C3%BC",
    "starter-2.0": "starter-2.0",
}


@pytest.mark.parametrize("id", IDS)
@respx.mock
def test_an_id_stays_one_segment_of_the_path(id, connection):
    route = respx.route().mock(return_value=httpx.Response(404, json={}))
    assert Lago(connection, KEY).find(path_of("plans", id), "plan") is None
    assert route.calls[0].request.url.raw_path.decode() == f"/api/v1/plans/{IDS[id]}"


@pytest.mark.parametrize("id", ["", ".", "..", "a\r\nHost: evil.test", "a\0", "\x1b[2J", "\u202e", "x" * 300])
def test_what_can_be_no_id_is_red(id):
    with pytest.raises(Red, match="is not an id that can be part of a Lago URL"):
        path_of("plans", id)


@given(st.text())
def test_any_text_is_one_segment_or_red(id):
    with suppress(Red):
        url = httpx.URL(f"{BASE}/api/v1/{path_of('plans', id, 'x')}")
        assert (url.host, url.query, url.fragment) == ("lago.example.test", b"", "")
        assert url.raw_path.count(b"/") == 5


@pytest.mark.parametrize("path", ["https://evil.test/", "evil.test", "//evil.test/x", "@evil.test/"])
@respx.mock
def test_a_key_goes_to_no_other_host(path, connection):
    route = respx.route().mock(return_value=httpx.Response(200, json={}))
    with suppress(ValueError):
        connection.ask("GET", path, key=KEY)
    assert {call.request.url.host for call in route.calls} <= {"lago.example.test"}


@pytest.mark.parametrize(
    "location", ["https://evil.test/", "//evil.test/", "http://lago.example.test:81/", "/\\evil.test"]
)
@respx.mock
def test_a_redirect_takes_no_key_along(location, connection):
    route = respx.route().mock(return_value=httpx.Response(307, headers={"Location": location}))
    with pytest.raises(NotAnswered):
        Lago(connection, KEY).organization()
    assert [call.request.url.host for call in route.calls] == ["lago.example.test"]


FETCHED = {
    "/files/1.pdf": "lago.example.test",
    "files/1.pdf": "lago.example.test",
    "//storage.test/1.pdf": "storage.test",
    "https://storage.test/1.pdf": "storage.test",
    "http://lago.example.test/1.pdf": "lago.example.test",
}


@pytest.mark.parametrize("url", FETCHED)
@respx.mock
def test_a_file_is_fetched_without_the_key(url, connection):
    route = respx.route().mock(return_value=httpx.Response(200, content=b"%PDF-1.4"))
    connection.fetch(url)
    request = route.calls[0].request
    assert request.url.host == FETCHED[url]
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:5432/",
        "ftp://storage.test/1",
        "file:///etc/passwd",
    ]
    + ["http://[", "https://x:port/", "gopher://x", "javascript:1", "https://\x1b[2J"],
)
@respx.mock
def test_a_file_is_fetched_from_no_other_host_without_https(url, connection):
    route = respx.route().mock(return_value=httpx.Response(200, content=b"%PDF-1.4"))
    with pytest.raises(NotAnswered):
        connection.fetch(url)
    assert not route.called


@pytest.mark.parametrize("end", ["\r\nX-Evil: 1", "\n", "ü", "\0"])
def test_a_key_that_no_header_can_carry_is_told_without_it(end):
    with raw_server(answering(b"{}")) as port:
        connection = Connection("api", f"http://127.0.0.1:{port}", seconds=30)
        with pytest.raises(NotAnswered, match="characters that HTTP does not allow") as raised:
            connection.ask("GET", "/health", key=Secret(f"the-key-itself{end}"))
        connection.close()
    assert "the-key-itself" not in str(raised.value)


def test_each_capability_is_found_behind_each_prefix():
    for capability in CAPABILITIES.values():
        for base in ("", "/api", "/api/billing"):
            path = f"/api/billing/{capability.spellings[-1]}/".removeprefix(base)
            document = {"paths": {path: {capability.method.lower(): {}}}, "servers": [{"url": base}, None, 5]}
            (found,) = operations(document).values()
            assert found.path == f"/api/billing/{capability.spellings[-1]}/"
