"""The gateway's own server answers for an error that its code did not handle, and closes the connection."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import respx

from lago_acceptance.clients.answers import NotAnswered, Refused
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.gateway import Gateway, Operation
from tests.support.patience import PATIENCE

PLANS = Operation("GET", "/api/billing/plans")


def failed() -> httpx.Response:
    return httpx.Response(500, text="Internal Server Error", headers={"server": "uvicorn"})


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Connection("gateway", "https://brain.example.test", seconds=PATIENCE)
    yield Gateway(made)
    made.close()


@respx.mock
def test_plain_text_is_the_gateways_own_failure(gateway):
    respx.route().mock(side_effect=lambda request: failed())
    with pytest.raises(Refused) as raised:
        gateway.plans(PLANS)
    (found,) = raised.value.findings
    assert found.id == "gateway-fails"
    assert "/api/billing/plans" in found.problem and "500: Internal Server Error" in found.problem
    assert gateway.read(PLANS).status == 500


@pytest.mark.parametrize(
    ("answer", "id"),
    [
        (httpx.ReadTimeout(""), "gateway-slow"),
        (
            httpx.Response(200, text="<title>Brain</title>", headers={"Content-Type": "text/html"}),
            "gateway-html",
        ),
        (httpx.Response(307, headers={"Location": "https://elsewhere.example.test/"}), "gateway-redirect"),
        (httpx.ConnectError("refused"), "gateway-unreachable"),
    ],
)
@respx.mock
def test_what_is_no_answer_of_the_gateway_is_red_by_its_own_name(answer, id, gateway):
    respx.route().mock(side_effect=[answer, answer])
    with pytest.raises(NotAnswered) as raised:
        gateway.plans(PLANS)
    assert [each.id for each in raised.value.findings] == [id]


@respx.mock
def test_a_failure_as_json_is_a_refusal(gateway):
    respx.route().mock(return_value=httpx.Response(500, json={"detail": "Internal Server Error"}))
    with pytest.raises(Refused) as raised:
        gateway.plans(PLANS)
    assert [each.id for each in raised.value.findings] == ["gateway-refused"]


@respx.mock
def test_plain_text_of_lago_is_no_answer_of_lago():
    respx.route().mock(return_value=failed())
    with pytest.raises(NotAnswered, match="api-not-json"):
        Connection("api", "https://lago.example.test", seconds=PATIENCE).ask("GET", "/api/v1/plans")


@pytest.mark.parametrize(
    "after", [httpx.ReadError(""), httpx.RemoteProtocolError("disconnected"), httpx.Response(502, text="EOF")]
)
@respx.mock
def test_the_request_after_a_failure_is_made_once_more(after, gateway):
    route = respx.route().mock(side_effect=[failed(), after, httpx.Response(200, json=[])])
    assert gateway.read(PLANS).status == 500
    assert gateway.plans(PLANS) == []
    assert route.call_count == 3


@respx.mock
def test_a_request_is_made_once_more_only_after_a_failure_and_once(gateway):
    error = httpx.ReadError("")
    route = respx.route().mock(side_effect=[error, failed(), error, error, error])
    with pytest.raises(NotAnswered):
        gateway.plans(PLANS)
    assert gateway.read(PLANS).status == 500
    with pytest.raises(NotAnswered):
        gateway.plans(PLANS)
    assert route.call_count == 4
    with pytest.raises(NotAnswered):
        gateway.plans(PLANS)
    assert route.call_count == 5


@respx.mock
def test_what_took_too_long_ahead_is_asked_for_again_alone(gateway):
    route = respx.route().mock(side_effect=[httpx.ReadTimeout(""), httpx.Response(200, json=[])])
    with gateway.connection.ahead(), pytest.raises(NotAnswered, match="gateway-slow"):
        gateway.plans(PLANS)
    assert gateway.plans(PLANS) == []
    assert route.call_count == 2
