"""Every client on every error path: no answer is not a wrong answer, and nothing is asked twice."""

from __future__ import annotations

import json
import socket
import ssl

import httpx
import pytest
import respx

from lago_acceptance.clients.answers import FIX, NotAnswered, Refused
from lago_acceptance.clients.connection import Connection, through
from lago_acceptance.clients.gateway import Gateway, Operation, operations
from lago_acceptance.clients.graphql import GraphQL
from lago_acceptance.clients.invalid_credentials import InvalidCredentials
from lago_acceptance.clients.lago import ORGANIZATION, Lago
from lago_acceptance.clients.prefetch import prefetched
from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.urls import public_url
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.public_endpoints import ONLY_THERE, PublicEndpoints
from tests.support.edge_servers import free_port
from tests.support.endpoints import urls
from tests.support.patience import PATIENCE

BASE = "https://lago.example.test"
HTML = httpx.Response(200, html="<title>Lago - Cloud</title>")


ERRORS = {
    "slow": httpx.ReadTimeout("read timed out"),
    "unreachable": httpx.ConnectError("connection refused"),
    "busy": httpx.Response(429, headers={"Retry-After": "3"}, json={"error": "slow down"}),
    "bad-gateway": httpx.Response(502, text="Bad Gateway"),
    "not-routed": httpx.Response(404, text="404 page not found\n"),
    "redirect": httpx.Response(301, headers={"Location": "https://elsewhere.example.test/"}),
    "html": HTML,
    "not-json": httpx.Response(200, text="Live!"),
}


CALLS = {
    "lago list": lambda connection: Lago(connection, Secret("a-key-of-this-test")).all("plans"),
    "lago find": lambda connection: Lago(connection, Secret("a-key-of-this-test")).find("plans/x", "plan"),
    "lago create": lambda connection: Lago(connection, Secret("a-key-of-this-test")).create(
        "plans", "plan", {}
    ),
    "lago delete": lambda connection: Lago(connection, Secret("a-key-of-this-test")).delete("plans/x"),
    "login": lambda connection: GraphQL(connection).login(
        "a@example.test", Secret("a-password-of-this-test")
    ),
    "gateway plans": lambda connection: Gateway(connection).plans(Operation("GET", "/api/billing/plans")),
    "gateway openapi": lambda connection: Gateway(connection).openapi(),
    "gateway health": lambda connection: Gateway(connection).health(),
}


def _answers(answer) -> dict:
    return {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer}


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("call", CALLS)
@respx.mock
def test_each_failure_to_answer_has_its_kind_and_only_a_late_read_is_repeated(call, kind, connection):
    route = respx.route(host="lago.example.test").mock(**_answers(ERRORS[kind]))
    with pytest.raises(NotAnswered) as raised:
        CALLS[call](connection)
    assert raised.value.kind == kind
    assert raised.value.findings[0].id == f"api-{kind}"
    assert raised.value.findings[0].fix == FIX[kind]
    late = kind == "slow" and not call.startswith(("lago create", "lago delete"))
    assert route.call_count == (2 if late else 1)


def test_a_certificate_of_another_ca_is_an_error():
    import trustme
    from pytest_httpserver import HTTPServer

    served, trusted = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.issue_cert("lago.example.test").configure_cert(context)
    with HTTPServer(ssl_context=context) as server:
        server.expect_request("/health").respond_with_json({"message": "Success"})
        base = f"https://lago.example.test:{server.port}"
        for roots, kind in ((served, None), (trusted, "certificate")):
            connection = Connection("api", base, server.host, roots.cert_pem.bytes().decode(), 2)
            if kind is None:
                assert connection.ask("GET", "/health").body == {"message": "Success"}
                continue
            with pytest.raises(NotAnswered) as raised:
                connection.ask("GET", "/health")
            assert raised.value.kind == kind


@pytest.mark.parametrize("status", [401, 403, 405, 422, 500, 503])
@pytest.mark.parametrize(
    "call", ["lago list", "lago find", "lago create", "lago delete", "login", "gateway plans"]
)
@respx.mock
def test_a_wrong_answer_is_refused_with_what_was_said(call, status, connection):
    body = {"status": status, "error": "No", "error_details": {"code": ["value_already_exist"]}}
    route = respx.route(host="lago.example.test").mock(return_value=httpx.Response(status, json=body))
    with pytest.raises(Refused) as raised:
        CALLS[call](connection)
    assert raised.value.answer.status == status
    assert "value_already_exist" in raised.value.findings[0].problem
    assert route.call_count == 1


SHAPES = [
    None,
    [],
    "x",
    7,
    {},
    {"plans": None},
    {"plan": "x"},
    {"data": None},
    {"data": {"loginUser": []}},
    {"errors": ["x"]},
    {"errors": [{"message": "No", "extensions": {"details": ["x"]}}]},
    {"data": {"loginUser": {"token": "t", "user": {"organizations": []}}}},
]


@pytest.mark.parametrize("body", SHAPES, ids=str)
@pytest.mark.parametrize("call", sorted(CALLS.keys() - {"gateway health", "gateway openapi", "lago delete"}))
@respx.mock
def test_an_answer_of_another_shape_is_refused_and_no_error_of_the_suite(call, body, connection):
    respx.route().mock(
        return_value=httpx.Response(200, text=json.dumps(body), headers={"Content-Type": "application/json"})
    )
    if call == "gateway plans" and body == []:
        assert CALLS[call](connection) == []
        return
    with pytest.raises(Refused) as raised:
        CALLS[call](connection)
    assert "200" in raised.value.findings[0].problem


def test_an_invalid_url_is_reported(connection):
    with pytest.raises(NotAnswered, match="is not a valid URL"):
        connection.fetch("https://lago.example.test:port/")


@respx.mock
def test_an_address_takes_the_place_of_the_name_in_the_connection_alone():
    route = respx.route(host="192.0.2.7").mock(return_value=httpx.Response(200, json={}))
    Connection("api", BASE, "192.0.2.7").ask("GET", "/health")
    request = route.calls[0].request
    assert (request.headers["Host"], request.extensions["sni_hostname"]) == (
        "lago.example.test",
        "lago.example.test",
    )


@respx.mock
def test_a_502_in_the_services_own_words_is_its_answer(connection):
    respx.route().mock(return_value=httpx.Response(502, json={"detail": "Lago is away"}))
    assert connection.ask("GET", "/api/billing/plans").status == 502


@respx.mock
def test_a_prefetched_answer_is_used_once(connection):
    """And only for the very same question: an answer to one key is none to another."""
    route = respx.get(f"{BASE}/health").mock(
        side_effect=[httpx.Response(200, json={"number": number}) for number in range(3)]
    )
    with connection.ahead():
        connection.ask("GET", "/health")
    assert connection.ask("GET", "/health", key=Secret("another")).body == {"number": 1}
    assert connection.ask("GET", "/health").body == {"number": 0} and route.call_count == 2
    assert connection.ask("GET", "/health").body == {"number": 2}


@respx.mock
def test_an_error_of_a_prefetch_reaches_the_caller(connection):
    route = respx.get(f"{BASE}/health").mock(return_value=httpx.Response(502, text="no"))
    with connection.ahead(), pytest.raises(NotAnswered):
        connection.ask("GET", "/health")
    with pytest.raises(NotAnswered, match="502"):
        connection.ask("GET", "/health")
    assert route.call_count == 1


@respx.mock
def test_what_the_checks_ask_of_lago_and_the_gateway_is_prefetched():
    """Their checks find every answer there, whatever it is, and what can't be reached is no error of the suite."""
    view = PublicEndpoints(urls=urls({API: "api.test", GATEWAY: "gateway.test"}), resolvers=(), origin=None)
    nobody = InvalidCredentials()
    refused = httpx.Response(401, json={"status": 401, "error": "Unauthorized"})
    plans = {"/api/billing/plans": {"get": {}}, "/api/billing/subscription": {"get": {}}}
    respx.get("https://api.test/health").respond(200, json={"version": "v1"})
    respx.get("https://api.test/api/v1/organizations").mock(return_value=refused)
    respx.post("https://api.test/graphql").respond(200, json={"data": {"loginUser": {"token": "x"}}})
    respx.get("https://gateway.test/health").respond(200, json={"status": "healthy"})
    respx.get("https://gateway.test/openapi.json").respond(200, json={"paths": plans})
    respx.get("https://gateway.test/api/billing/plans").respond(200, json=[])
    respx.get("https://gateway.test/api/billing/subscription").mock(return_value=refused)
    api, asked = prefetched(view, API, nobody), prefetched(view, GATEWAY, nobody)
    respx.clear()
    assert api.ask("GET", "/health").body == {"version": "v1"}
    assert [api.ask("GET", ORGANIZATION, headers=each).status for each in nobody.headers().values()] == [
        401
    ] * 3
    with pytest.raises(Refused, match="belongs to no organization"):
        GraphQL(api).login(nobody.email, nobody.password)
    gateway = Gateway(asked)
    assert gateway.health().status == 200
    there = operations(gateway.openapi())
    assert gateway.plans(there["plans"]) == []
    tokens = (None, nobody.garbage, nobody.forged)
    assert [gateway.read(there["subscriptions"], token).status for token in tokens] == [401] * 3


def test_why_no_address_of_a_name_answers_is_told(monkeypatch):
    port = free_port()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{end}", port)) for end in (1, 2)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **more: found)
    connection = Connection("api", f"http://lago.example.test:{port}", seconds=PATIENCE)
    with pytest.raises(NotAnswered, match="the connection was refused"):
        connection.ask("GET", "/health")
    connection.close()


# --- URLs with paths, ports and doors ---


def one_name(**more) -> PublicEndpoints:
    given = {"urls": {"front": public_url("https://lago.test"), API: public_url("https://lago.test/api")}}
    return PublicEndpoints(**{**given, "resolvers": (), "origin": None, **more})


@respx.mock
def test_rest_is_below_the_apis_url_and_graphql_where_browsers_reach_it():
    made = through(one_name(browser_api=public_url("https://lago.test")), API)
    health = respx.get("https://lago.test/api/health").respond(200, json={"version": "v1"})
    rest = respx.get("https://lago.test/api/api/v1/organizations").respond(401, json={})
    files = respx.get("https://lago.test/api/rails/a.pdf").respond(200, text="%PDF")
    login = respx.post("https://lago.test/graphql").respond(200, json={"data": {"loginUser": None}})
    assert made.answering() is made
    made.ask("GET", ORGANIZATION)
    assert made.fetch("/rails/a.pdf").content == b"%PDF"
    with pytest.raises(Refused):
        GraphQL(made).login("a@b.test", Secret("x"))
    assert all(each.call_count == 1 for each in (health, rest, files, login))
    elsewhere = respx.post("https://lago.test/api/graphql").respond(200, json={"data": {"loginUser": None}})
    with pytest.raises(Refused):
        GraphQL(through(one_name(), API)).login("a@b.test", Secret("x"))
    assert elsewhere.called


@respx.mock
def test_where_the_front_has_every_other_path_the_rest_shows_that_lago_answers():
    made = through(one_name(urls=dict.fromkeys(("front", API), public_url("https://lago.test"))), API)
    asked = respx.get("https://lago.test/api/v1/organizations").respond(401, json={"status": 401})
    made.answering()
    assert asked.called


def test_a_door_is_opened_for_its_host_and_port_alone():
    from pytest_httpserver import HTTPServer

    with HTTPServer(host="127.0.0.1") as server:
        server.expect_request("/health", headers={"Host": "localhost:3000"}).respond_with_json(
            {"version": "v1"}
        )
        server.expect_request("/graphql", headers={"Host": "localhost"}).respond_with_json(
            {"data": {"loginUser": None}}
        )
        door = ("127.0.0.1", server.port)
        view = one_name(
            urls={"front": public_url("http://localhost"), API: public_url("http://localhost:3000")},
            browser_api=public_url("http://localhost"),
            doors={"front": door, API: door},
        )
        made = through(view, API)
        assert made.ask("GET", "/health").body == {"version": "v1"}
        with pytest.raises(Refused):
            GraphQL(made).login("a@b.test", Secret("x"))
        made.close()


def test_what_only_the_host_can_open_and_what_nobody_says_is_unknown():
    local = one_name(urls={API: public_url("http://localhost:3000")})
    with pytest.raises(Unknown) as raised:
        through(local, API)
    assert raised.value.why == ONLY_THERE
    with pytest.raises(Unknown) as raised:
        through(one_name(urls={}), API)
    assert raised.value.why == "the public URL of the api is not known"


@respx.mock
def test_a_file_elsewhere_is_read_by_http_only_where_lago_is_too():
    respx.get("http://files.test/a.pdf").respond(200, text="%PDF")
    assert Connection(API, "http://lago.test:3000").fetch("http://files.test/a.pdf").content == b"%PDF"
    with pytest.raises(NotAnswered, match="not by https"):
        Connection(API, "https://lago.test").fetch("http://files.test/a.pdf")
