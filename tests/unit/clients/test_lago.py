"""The REST client: keys, lists over several pages, and what Lago doesn't have."""

from __future__ import annotations

import httpx
import pytest
import respx

from lago_acceptance.clients.answers import Refused
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.secrets import Secret


def _plan(code: str) -> dict:
    return {"lago_id": f"id-of-{code}", "code": code, "amount_cents": 0, "amount_currency": "USD"}


@respx.mock
def test_a_list_whose_pages_go_round_has_an_end(connection):
    answer = {"plans": [_plan("a")], "meta": {"next_page": 1}}
    route = respx.route().mock(return_value=httpx.Response(200, json=answer))
    assert len(Lago(connection, Secret("a-key-of-this-test")).all("plans")) == route.call_count == 1


@respx.mock
def test_what_lago_does_not_have_is_none_and_deletes_nothing(connection):
    respx.route().mock(return_value=httpx.Response(404, json={"status": 404, "code": "plan_not_found"}))
    lago = Lago(connection, Secret("a-key-of-this-test"))
    assert lago.find("plans/x", "plan") is None
    assert lago.delete("plans/x") is False


@respx.mock
def test_a_list_is_read_to_its_end(connection):
    pages = {
        "1": {"plans": [_plan("a")], "meta": {"next_page": 2}},
        "2": {"plans": [_plan("b")], "meta": {"next_page": None}},
    }
    respx.route().mock(
        side_effect=lambda request: httpx.Response(200, json=pages[request.url.params["page"]])
    )
    assert Lago(connection, Secret("a-key-of-this-test")).all("plans") == [_plan("a"), _plan("b")]


@respx.mock
def test_the_key_is_sent_and_never_shown(connection):
    route = respx.route().mock(return_value=httpx.Response(500, json={"echo": "a-key-of-this-test"}))
    with pytest.raises(Refused) as raised:
        Lago(connection, Secret("a-key-of-this-test")).organization()
    assert route.calls[0].request.headers["Authorization"] == "Bearer a-key-of-this-test"
    assert "a-key-of-this-test" not in str(raised.value)
