"""The requests of curl and wget, read from their words."""

from __future__ import annotations

import pytest

from lago_acceptance.shell.http_requests import requests_of
from lago_acceptance.shell.words import split


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "fails"),
    [
        ("curl -f http://localhost:3000/health", "localhost", 3000, "/health", True),
        ("curl -fsSo /dev/null -m 5 localhost", "localhost", 80, "/", True),
        ("curl --max-time 5 --fail --url http://a:1/b?c", "a", 1, "/b", True),
        ("curl -s -w '%{http_code}' -o /dev/null https://a/b", "a", 443, "/b", False),
        ("wget -q --spider http://127.0.0.1:8080", "127.0.0.1", 8080, "/", True),
        ("wget -qO- http://a/b", "a", 80, "/b", True),
    ],
)
def test_a_request(text, host, port, path, fails):
    words = split(text)
    [request] = requests_of(words[0], words) or ()
    assert (request.host, request.port, request.path, request.fails_on_status) == (host, port, path, fails)


@pytest.mark.parametrize(
    ("text", "keyed", "sends"),
    [
        ("curl -H 'Authorization: Bearer x' http://a", True, False),
        ("curl -u a:b http://a", True, False),
        ("curl --json '{}' http://a", False, True),
        ("curl -X POST http://a", False, True),
        ("curl -H 'Accept: text/plain' http://a", False, False),
    ],
)
def test_what_a_request_carries(text, keyed, sends):
    words = split(text)
    [request] = requests_of(words[0], words) or ()
    assert (request.keyed, request.sends) == (keyed, sends)


@pytest.mark.parametrize(
    "text",
    [
        "curl",
        "curl http://a:$PORT",
        "curl --unix-socket /s http://a",
        "curl -x proxy:1 http://a",
        "http GET a",
    ],
)
def test_what_cannot_be_read(text):
    words = split(text)
    assert requests_of(words[0], words) is None
