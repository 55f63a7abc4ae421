"""Requests to an API on a network without a way in: each is made by curl in its container, for a session on its host."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lago_acceptance.clients.answers import not_answered
from lago_acceptance.clients.connection import Connection
from lago_acceptance.core.roles import API
from lago_acceptance.deploy.session import Session
from lago_acceptance.probes.http import Answer

if TYPE_CHECKING:
    from httpx import Request

INSIDE = "http://127.0.0.1:3000"
# curl gives up after 60 s by itself.
_SECONDS = 90


class InsideConnection(Connection):
    """A connection to the API of a rehearsal. Threads may share it; their requests are made one after the other."""

    def __init__(self, session: Session):
        super().__init__(API, INSIDE)
        self._session, self._one = session, threading.Lock()

    def _transfer(self, asked: str, request: Request, largest: int, seconds: float) -> Answer:
        with self._one:
            self._session.give("request", curl_configuration(request).encode())
            done = self._session.ask("request", _SECONDS)
        if done.code:
            raise not_answered(API, "unreachable", asked, done.last)
        return answer_of(bytes.fromhex("".join(done.lines)), largest)


def curl_configuration(request: Request) -> str:
    """The request as curl reads it from a file, where no other user of the host sees its key."""
    words = [("request", request.method), ("url", str(request.url))]
    words += [
        ("header", f"{name}: {value}")
        for name, value in request.headers.items()
        if name not in ("host", "content-length", "accept-encoding", "connection")
    ]
    if content := request.read():
        words.append(("data-binary", content.decode("utf-8")))
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in words)


def _quoted(text: str) -> str:
    escaped = (
        text.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    )
    return f'"{escaped}"'


def answer_of(raw: bytes, largest: int) -> Answer:
    """An answer with its head, as curl prints it. ValueError where it has none."""
    head, _, content = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in rest)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    return Answer(
        status=int(first.split()[1]),
        headers=headers,
        content=content[:largest],
        whole=len(content) <= largest,
    )
