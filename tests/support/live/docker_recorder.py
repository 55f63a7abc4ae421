"""A socket before Docker's own that records what is asked of it, and passes everything on."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|PATCH) (/\S*) HTTP/1\.1\r\n")
_EXEC = re.compile(rb"POST (/v[\d.]+)?/containers/\w+/exec HTTP/1\.1\r\n.*?\r\n\r\n(\{.*)", re.DOTALL)


class Recorder:
    """What was asked: ``requests`` as method and path without version and query, ``execs`` as lists of
    words."""

    def __init__(self, path: Path, docker: str):
        self.path, self._docker = path, docker
        self.requests: list[tuple[str, str]] = []
        self.execs: list[list[str]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._docker)
            threading.Thread(target=self._upward, args=(client, server), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _upward(self, client: socket.socket, server: socket.socket) -> None:
        said = b""
        while chunk := _received(client):
            said += chunk
            server.sendall(chunk)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)
        self.requests += [
            (method.decode(), re.sub(r"^/v[\d.]+", "", path.decode()).partition("?")[0])
            for method, path in _REQUEST.findall(said)
        ]
        if found := _EXEC.search(said):
            body, _ = json.JSONDecoder().raw_decode(found[2].decode("utf-8", "replace"))
            self.execs.append(body["Cmd"])

    def close(self) -> None:
        """Take no further connection."""
        self._listener.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    while chunk := _received(source):
        try:
            target.sendall(chunk)
        except OSError:
            break
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def recording(path: Path, docker: str = "/var/run/docker.sock") -> Iterator[Recorder]:
    """A recorder at a path of its own."""
    recorder = Recorder(path, docker)
    try:
        yield recorder
    finally:
        recorder.close()
