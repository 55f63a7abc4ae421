"""A port of this machine that nobody should connect to."""

from __future__ import annotations

import selectors
import socket
import threading


class Listener:
    """Listens on this machine, and keeps what connects and what it says."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, selectors.DefaultSelector() as waiting:
                waiting.register(connection, selectors.EVENT_READ)
                self.heard.append(connection.recv(4096) if waiting.select(1) else b"")

    def close(self) -> None:
        self._socket.close()
