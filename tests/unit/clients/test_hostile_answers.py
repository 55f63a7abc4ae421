"""Whatever a server sends, and however slowly: one finding, in bounded time and memory."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from lago_acceptance.clients.answers import NotAnswered
from lago_acceptance.clients.connection import LARGEST, Connection
from lago_acceptance.core.attempt import Attempt
from tests.support.edge_servers import raw_server
from tests.support.hostile_servers import ENDLESS, GARBAGE, HEAD, LARGE, Talk, answering, dripping
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

MEBIBYTES_MORE = 64
BODY = b'{"version": "v1.16.0"}'


def asked(talk: Talk, seconds: float) -> NotAnswered:
    """The failure of one request to such a server."""
    with raw_server(talk) as port:
        connection = Connection("api", f"http://127.0.0.1:{port}", seconds=seconds)
        try:
            with pytest.raises(NotAnswered) as raised:
                connection.ask("GET", "/health")
        finally:
            connection.close()
    return raised.value


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_without_end_is_slow(name):
    started = time.monotonic()
    failure = asked(ENDLESS[name], 0.7)
    assert (failure.kind, failure.findings[0].id) == ("slow", "api-slow")
    assert "no answer within 1.4 s" in failure.findings[0].problem
    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("name", LARGE)
def test_an_answer_that_is_too_large_is_told_and_not_read_on(name):
    failure = asked(LARGE[name], PATIENCE)
    assert (failure.kind, failure.findings[0].id) == ("too-large", "api-too-large")
    assert f"more than {LARGEST >> 20} MiB" in failure.findings[0].problem


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_one_finding(name):
    (finding,) = asked(GARBAGE[name], PATIENCE).findings
    assert finding.id in ("api-unreachable", "api-not-json", "api-redirect")
    assert len(finding.problem) < 1000


def test_a_compressed_answer_is_named_as_such():
    (finding,) = asked(GARBAGE["a gzip bomb"], PATIENCE).findings
    assert "compressed (gzip) although the request does not allow it" in finding.problem


def test_the_largest_answer_is_still_read():
    body = json.dumps({"a": "x" * (LARGEST - 20)}).encode()
    with raw_server(answering(body)) as port:
        connection = Connection("api", f"http://127.0.0.1:{port}", seconds=PATIENCE)
        assert len(connection.ask("GET", "/").body["a"]) == LARGEST - 20
        connection.close()


def test_what_is_fetched_is_cut_and_not_refused():
    """A file may have any size: its beginning shows what it is."""
    with raw_server(LARGE["a body without end"]) as port:
        connection = Connection("api", f"http://127.0.0.1:{port}", seconds=PATIENCE)
        answer = connection.fetch("/files/1.pdf")
        connection.close()
    assert (answer.whole, len(answer.content)) == (False, 2**15)


ASK = """
import sys
from pathlib import Path
from lago_acceptance.clients.answers import NotAnswered, Refused
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.secrets import Secret


def most():
    # Not getrusage, which counts what the parent had before this program was loaded.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


made = Connection("api", sys.argv[1], seconds=60)
try:
    made.ask("GET", "/warming-up")
except NotAnswered:
    pass
before = most()
try:
    Lago(made, Secret("a-key-of-this-test")).all("plans")
except (NotAnswered, Refused) as failure:
    print(failure.findings[0].id)
print((most() - before) // 1024)
"""


def grown(talk: Talk) -> tuple[str, int]:
    """What a client in a process of its own finds, and by how many MiB it grows at most."""

    def first_short(client) -> None:
        if client.recv(2**16, 2).startswith(b"GET /warming-up"):
            client.recv(2**16)
            client.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            talk(client)

    with raw_server(first_short) as port:
        outcome = subprocess.run(
            [sys.executable, "-c", ASK, f"http://127.0.0.1:{port}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=True,
        )
    *found, more = outcome.stdout.split()
    return " ".join(found), int(more)


@pytest.mark.parametrize(
    ("name", "talk", "expected"),
    [
        ("endless", LARGE["a body without end"], "api-too-large"),
        ("chunks", LARGE["many small chunks"], "api-too-large"),
        ("bomb", GARBAGE["a gzip bomb"], "api-not-json"),
        ("headers", GARBAGE["too many headers"], "api-unreachable"),
    ],
)
def test_memory_stays_bounded(name, talk, expected):
    found, more = grown(talk)
    assert found == expected
    assert more < MEBIBYTES_MORE


@pytest.mark.parametrize("filler", ["{},", "[],", '"\\u00e9",', "[[]],"])
def test_memory_stays_bounded_for_json_that_grows_when_it_is_parsed(filler):
    body = '{"plans": [' + filler * ((LARGEST - 20) // len(filler.encode()))
    found, more = grown(answering(f"{body.rstrip(',')}]}}".encode()))
    assert found == "api-refused"
    assert more < 4 * MEBIBYTES_MORE


def late(times: int, asked: list[bytes], ended: threading.Event) -> Talk:
    """Leaves its first requests without an answer until ``ended``, and answers all others."""

    def talk(client: socket.socket) -> None:
        request = client.recv(2**16)
        asked.append(request)
        if len(asked) <= times:
            ended.wait(PATIENCE)
        else:
            client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)

    return talk


@pytest.mark.parametrize(
    ("method", "repeatable", "requests"), [("GET", False, 2), ("POST", True, 2), ("POST", False, 1)]
)
def test_what_changes_nothing_is_asked_once_more_where_no_answer_came(method, repeatable, requests):
    asked, ended = [], threading.Event()
    with raw_server(late(1, asked, ended)) as port:
        connection = Connection("api", f"http://127.0.0.1:{port}", seconds=1)
        tried = Attempt.of(lambda: connection.ask(method, "/health", repeatable=repeatable))
        connection.close()
        ended.set()
    assert len(asked) == requests
    assert (tried.failure is None) == (requests == 2)


def test_what_is_late_ahead_of_time_is_asked_when_it_is_needed():
    asked, ended = [], threading.Event()
    with raw_server(late(1, asked, ended)) as port:
        connection = Connection("api", f"http://127.0.0.1:{port}", seconds=1)
        with connection.ahead(), pytest.raises(NotAnswered):
            connection.ask("GET", "/health")
        assert len(asked) == 1
        assert connection.ask("GET", "/health").body == {"version": "v1.16.0"}
        connection.close()
        ended.set()
    assert len(asked) == 2


def test_the_deadline_covers_the_handshake():
    talk = dripping(b"\x16\x03\x03\x3f\xff", lambda number: b"\0")
    with raw_server(talk) as port:
        connection = Connection("api", f"https://127.0.0.1:{port}", seconds=0.7)
        with pytest.raises(NotAnswered) as raised:
            connection.ask("GET", "/health")
        connection.close()
    assert raised.value.kind in ("unreachable", "slow")


def test_the_deadline_covers_the_look_up_of_the_name(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **more: release.wait(PATIENCE) and [])
    connection = Connection("api", "https://lago.example.test", seconds=0.5)
    with pytest.raises(NotAnswered) as raised:
        connection.ask("GET", "/health")
    release.set()
    connection.close()
    assert raised.value.findings[0].id == "api-unreachable"
