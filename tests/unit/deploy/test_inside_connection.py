"""Requests to an API whose network has no way in."""

from __future__ import annotations

import json

import httpx
import pytest

from lago_acceptance.clients.answers import NotAnswered
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.secrets import Secret
from lago_acceptance.deploy.inside_connection import InsideConnection, answer_of, curl_configuration
from lago_acceptance.deploy.session import Outcome

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-Request-Id: 1\r\n\r\n"


class PretendedSession:
    """Answers each request with the same text, and keeps what it was given."""

    def __init__(self, answer, code=0):
        self.answer, self.code, self.given = answer, code, []

    def give(self, path, content):
        self.given.append((path, content.decode()))

    def ask(self, question, seconds):
        assert question == "request"
        return Outcome(self.code, (self.answer.encode().hex() if not self.code else self.answer,))


def test_a_request_and_its_key_go_by_a_file_and_the_answer_comes_back():
    session = PretendedSession(HEAD + json.dumps({"organization": {"name": "ünï"}}))
    lago = Lago(InsideConnection(session), Secret("11111111-2222"))
    answer = lago.ask("POST", "plans", {"plan": {"name": 'a "plan"\nof two lines'}}, page=2)
    assert (answer.status, answer.body["organization"]["name"]) == (200, "ünï")
    [(path, said)] = session.given
    assert path == "request"
    assert 'request = "POST"\n' in said
    assert 'url = "http://127.0.0.1:3000/api/v1/plans?page=2"\n' in said
    assert "Bearer 11111111-2222" in said
    assert "accept-encoding" not in said.lower()
    # A quotation mark or a line feed would begin another option of curl.
    assert len(said.splitlines()) == len([line for line in said.splitlines() if " = " in line])
    lago.connection.close()


def test_curl_reads_back_what_was_written():
    request = httpx.Request("POST", "http://127.0.0.1:3000/x", content=b'{"a": "\\"b\\\\"}')
    [line] = [each for each in curl_configuration(request).splitlines() if each.startswith("data-binary")]
    assert line == 'data-binary = "{\\"a\\": \\"\\\\\\"b\\\\\\\\\\"}"'


def test_an_api_that_does_not_answer_is_a_finding():
    connection = InsideConnection(PretendedSession("curl ended with 7", 1))
    with pytest.raises(NotAnswered) as failed:
        connection.ask("POST", "/api/v1/plans", {})
    assert "curl ended with 7" in str(failed.value)


def test_a_large_answer_is_cut():
    answer = answer_of(HEAD.encode() + b"x" * 20, 8)
    assert (answer.status, answer.content, answer.whole) == (200, b"x" * 8, False)
    assert answer.media_type == "application/json"
