"""Two small services beside the deployment, for tests alone: an issuer's JWKS, and a box that keeps every webhook.

GET /jwks.json     the file that is mounted at /run/issuer/jwks.json; also where gateways look for it below an issuer's
                   name, at /.well-known/jwks.json and /jwks/
POST anything      is kept, with its headers, and answered by 200
GET /deliveries    what came since, oldest first
GET /asked         how often the keys were asked for
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATHS = ("/jwks.json", "/.well-known/jwks.json", "/jwks/", "/jwks")
JWKS = Path("/run/issuer/jwks.json")
LARGEST = 2**20
kept: list[dict] = []
asked = {"jwks": 0}
lock = threading.Lock()


class Desk(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self):
        if self.path.partition("?")[0] in PATHS:
            with lock:
                asked["jwks"] += 1
            self._answer(JWKS.read_bytes())
        elif self.path == "/asked":
            self._answer(json.dumps(asked).encode())
        elif self.path == "/deliveries":
            with lock:
                self._answer(json.dumps(kept).encode())
        else:
            self._answer(b'{"status": "up"}')

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST)).decode(
            "utf-8", "replace"
        )
        with lock:
            kept.append({"path": self.path, "headers": dict(self.headers.items()), "body": body})
        self._answer(b"{}")

    def _answer(self, body: bytes):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Bodies and headers are nobody's business here."""


ThreadingHTTPServer(("0.0.0.0", 8000), Desk).serve_forever()
