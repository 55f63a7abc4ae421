#!/usr/bin/python3
"""Turns HTML into PDF as Gotenberg 7.8 does for Lago: POST /forms/chromium/convert/html, and GET /health."""

import email.parser
import email.policy
import json
import os
import subprocess
import tempfile
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHROMIUM = "/usr/bin/chromium-headless-shell"
SECONDS = 30


class BadForm(Exception):
    """The request is not a form that can be rendered."""


class ChromiumFailed(Exception):
    """Chromium didn't render in time or at all."""


def form_files(content_type: str, body: bytes) -> dict[str, bytes]:
    """The files of a multipart form by name; its other fields (paper, margins, …) change nothing here."""
    if not content_type.startswith("multipart/form-data"):
        raise BadForm("Invalid 'Content-Type' header value: want 'multipart/form-data'")
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = (part for part in message.iter_parts() if part.get_filename())
    files = {Path(part.get_filename()).name: part.get_payload(decode=True) for part in parts}
    if "index.html" not in files:
        raise BadForm("Invalid form data: form file 'index.html' is required")
    return files


def render(files: dict[str, bytes]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        printed = Path(folder, f"{uuid.uuid4()}.pdf")
        command = [
            CHROMIUM, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
            f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={printed}",
            f"file://{folder}/index.html",
        ]  # fmt: skip
        try:
            result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise ChromiumFailed(f"not rendered after {SECONDS} s") from None
        if not printed.exists():
            raise ChromiumFailed(result.stderr[-500:])
        return printed.read_bytes()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != "/health":
            return self.answer(404, "text/plain; charset=UTF-8", b"Not Found")
        status = "up" if os.access(CHROMIUM, os.X_OK) else "down"
        now = datetime.now(UTC).isoformat()
        health = {"status": status, "details": {"chromium": {"status": status, "timestamp": now}}}
        self.answer(
            200 if status == "up" else 503, "application/json; charset=utf-8", json.dumps(health).encode()
        )

    def do_POST(self) -> None:
        body = self.body()
        if self.path != "/forms/chromium/convert/html":
            return self.answer(404, "text/plain; charset=UTF-8", b"Not Found")
        try:
            printed = render(form_files(self.headers.get("Content-Type", ""), body))
        except BadForm as error:
            self.answer(400, "text/plain; charset=UTF-8", str(error).encode())
        except ChromiumFailed as error:
            self.log_error("chromium: %s", error)
            self.answer(500, "text/plain; charset=UTF-8", b"Internal Server Error")
        else:
            self.answer(200, "application/pdf", printed, f"attachment; filename={uuid.uuid4()}.pdf")

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer(self, status: int, content_type: str, content: bytes, disposition: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if disposition:
            self.send_header("Content-Disposition", disposition)
        self.send_header("Gotenberg-Trace", self.headers.get("Gotenberg-Trace") or str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    Server(("", 3000), Handler).serve_forever()
