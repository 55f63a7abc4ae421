"""The suite's own receiver of webhooks: what it got, and no verdict on a deployment where it is silent."""

from __future__ import annotations

import httpx
import pytest
import respx

from lago_acceptance.clients.webhook_receiver import WebhookReceiver
from lago_acceptance.core.verdicts import Unknown

URL = "http://192.0.2.9:8000"


@respx.mock
def test_deliveries_and_requests_for_keys_are_read():
    respx.get(f"{URL}/deliveries").respond(
        json=[{"path": "/a", "headers": {}, "body": '{"webhook_type": "x"}'}]
    )
    respx.get(f"{URL}/asked").respond(json={"jwks": 2})
    receiver = WebhookReceiver("", URL)
    assert [(each.path, each.type) for each in receiver.deliveries()] == [("/a", "x")]
    assert receiver.key_requests() == 2


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(500, json=[]), httpx.Response(200, text="no JSON"), httpx.ConnectError("refused")],
)
@respx.mock
def test_a_receiver_that_does_not_answer_is_unknown(answer):
    respx.get(f"{URL}/deliveries").mock(
        **({"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer})
    )
    with pytest.raises(Unknown, match="the suite's own webhook receiver"):
        WebhookReceiver("", URL).deliveries()
