"""Receivers of alarms on this machine: a mail server, and servers that never answer."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.edge_servers import free_port


class Mail:
    """A mail server on loopback, with the mails that arrived."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []
        self._server = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for each mail."""
        assert isinstance(envelope.content, bytes)
        self.arrived.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    @property
    def url(self) -> str:
        """Where alarms go, as the alarms file has it."""
        return f"mailto://127.0.0.1:{self._server.port}?from=lago@example.com&to=operators@example.com"

    @property
    def subjects(self) -> list[str]:
        """The subjects of all mails, in their order."""
        return [str(mail["Subject"]) for mail in self.arrived]


@contextmanager
def mail_server() -> Iterator[Mail]:
    """A mail server while the block runs."""
    mail = Mail()
    mail._server.start()
    try:
        yield mail
    finally:
        mail._server.stop()


class Silent:
    """What a server does that accepts a connection and then says a byte a second, for as long as the test runs."""

    def __init__(self, prefix: bytes = b"") -> None:
        self.ended = threading.Event()
        self._prefix = prefix

    def __call__(self, client: socket.socket) -> None:
        client.sendall(self._prefix)
        while not self.ended.wait(0.2):
            client.sendall(b"X")
