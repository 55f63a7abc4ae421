"""A small Lago of stand-ins for the contract: what is stopped, started and looked at while exchanges are replayed."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

import httpx

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.patience import PATIENCE
from tests.support.standin.boot import key_values
from tests.support.standin.containers import World, accepts_connections, sql

if TYPE_CHECKING:
    from docker.models.containers import Container

API_KEY = "00000000-0000-4000-8000-000000000bcd"
PASSWORD = "Of-no-consequence-1"
WEBHOOK_ISSUER = "http://api.lago.test"
FILES_HOST = "127.0.0.1:3010"

RECEIVER = """
import http.server, json, threading
alone = threading.Lock()
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with alone:
            print(json.dumps({"path": self.path, "headers": dict(self.headers), "text": body}), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("", 8000), Receiver).serve_forever()
"""
"""Takes any webhook and prints it on one line."""


class Stack:
    """Database, Redis, API, worker and clock; a receiver of webhooks; and a second Lago beside them that has a PDF
    service and refuses sign-ups."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.secret = secrets.token_hex(32)
        self.boxes: dict[str, Container] = {}
        self.environment = {
            "RAILS_ENV": "production",
            "RAILS_LOG_TO_STDOUT": "true",
            "DATABASE_URL": "postgresql://lago:lago@lago-db:5432/lago",
            "REDIS_URL": "redis://lago-redis:6379",
            "LAGO_REDIS_CACHE_URL": "redis://lago-redis:6379/9",
            "SECRET_KEY_BASE": self.secret,
            "LAGO_RSA_PRIVATE_KEY": str(key_values()["rsa_b64_pkcs8"]),
            "LAGO_FRONT_URL": "http://front.lago.test",
            "LAGO_API_URL": WEBHOOK_ISSUER,
            "LAGO_CREATE_ORG": "true",
            "LAGO_ORG_NAME": "Acceptance",
            "LAGO_ORG_USER_EMAIL": "admin@example.test",
            "LAGO_ORG_USER_PASSWORD": PASSWORD,
            "LAGO_ORG_API_KEY": "set",
            "LAGO_API_KEY": API_KEY,
        }

    def start(self) -> None:
        self.start_parts()
        self.start_lago("", {})

    def start_parts(self) -> None:
        """PostgreSQL, Redis and the receiver of webhooks."""
        self.boxes["db"] = self.world.database("lago-db")
        self.boxes["redis"] = self.world.redis("lago-redis")
        assert until(lambda: accepts_connections(self.boxes["db"]), PATIENCE), "PostgreSQL is not ready"
        self.boxes["hooks"] = self.world.create(
            "hooks", resolve.stand_in("redis"), ["python3", "-c", RECEIVER], {}
        )
        self.boxes["hooks"].start()

    def start_with_files(self) -> None:
        self.boxes["pdf"] = self.world.create("pdf", resolve.stand_in("lago-pdf"), None, {})
        self.boxes["pdf"].start()
        storage = self.world.volume("storage")
        changes = {
            "REDIS_URL": "redis://lago-redis:6379/5",
            "LAGO_API_URL": f"http://{FILES_HOST}",
            "LAGO_PDF_URL": "http://pdf:3000",
            "LAGO_DISABLE_SIGNUP": "true",
        }
        self.start_lago("-files", changes, volumes={storage.name: {"bind": "/app/storage", "mode": "rw"}})

    def start_lago(
        self,
        suffix: str,
        changes: dict[str, str],
        of_role: dict[str, dict[str, str]] | None = None,
        **options: Any,
    ) -> None:
        """A Lago in a database of its own, whose services differ from the good ones as told, one by one or all."""
        if suffix:
            name = suffix.strip("-").replace("-", "_")
            sql(self.boxes["db"], f"CREATE DATABASE {name}")
            changes = {"DATABASE_URL": f"postgresql://lago:lago@lago-db:5432/{name}"} | changes
        environment = self.environment | changes
        migrate = self.world.lago(f"migrate{suffix}", "./scripts/migrate.sh", environment)
        migrate.start()
        assert migrate.wait(timeout=PATIENCE)["StatusCode"] == 0, migrate.logs().decode()
        for role in ("api", "worker", "clock"):
            script = f"./scripts/start.{role}.sh"
            differing = environment | (of_role or {}).get(role, {})
            self.boxes[role + suffix] = self.world.lago(role + suffix, script, differing, **options)
            self.boxes[role + suffix].start()
        self.await_api(f"api{suffix}")

    def await_api(self, name: str = "api") -> None:
        def healthy() -> bool:
            return self.execute(name, "curl -fsS -m 5 http://127.0.0.1:3000/health")[0] == 0

        assert until(healthy, PATIENCE), self.boxes[name].logs().decode()[-3000:]

    def url(self, name: str = "api") -> str:
        """Where the API listens now; a container that was started again may have another address."""
        box = self.boxes[name]
        box.reload()
        return f"http://{box.attrs['NetworkSettings']['Networks'][self.world.network.name]['IPAddress']}:3000"

    def execute(self, name: str, command: str) -> tuple[int, str]:
        result = self.boxes[name].exec_run(["sh", "-c", command])
        return result.exit_code, result.output.decode().replace("\r", "")

    def signed_by_the_api(self, here: dict[str, Any], name: str = "api") -> bool:
        """Whether a webhook's signature holds under the key that an API serves, or under the organization's own."""
        import base64
        import hashlib
        import hmac

        import jwt

        signature = here["headers"]["X-Lago-Signature"]
        if here["headers"]["X-Lago-Signature-Algorithm"] == "jwt":
            served = self.get(name, "webhooks/json_public_key")["webhook"]["public_key"]
            try:
                payload = jwt.decode(signature, base64.b64decode(served), algorithms=["RS256"])
            except jwt.InvalidSignatureError:
                return False
            return payload == {"data": here["text"], "iss": WEBHOOK_ISSUER}
        key = sql(self.boxes["db"], "SELECT hmac_key FROM organizations WHERE name = 'Acceptance'")
        digest = hmac.new(key.encode(), here["text"].encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode() == signature

    def post(self, name: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        answer = httpx.post(
            f"{self.url(name)}/api/v1/{path}", json=body, headers=headers, timeout=30, trust_env=False
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, name: str, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        return httpx.get(
            f"{self.url(name)}/api/v1/{path}", headers=headers, timeout=30, trust_env=False
        ).json()

    def token(self, exchange: str, payload: dict[str, Any]) -> str:
        """A session like the one that an exchange was recorded with."""
        import jwt

        secret = (
            "your-secret-key-base-hex-64" if exchange == "gql_forged_with_default_secret" else self.secret
        )
        expires = int(time.time()) + (-60 if exchange == "gql_expired_token" else 600)
        return jwt.encode({"sub": payload["sub"], "exp": expires}, secret, algorithm="HS256")


def spoken(output: str) -> set[str]:
    """What a command's output says, without addresses, counts and the reason why a connection failed."""
    lines = set()
    for line in output.strip().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            line = f"{entry['lvl']} {str(entry['msg']).strip()}".strip()
        line = re.sub(r"(Error fetching job|CannotConnectError): .*?(?= \(redis|$)", r"\1: <reason>", line)
        line = re.sub(r"^[0-9a-z-]+:\d+:[0-9a-f]{12}$", "<a process>", line)
        lines.add(re.sub(r"^\d+$", "<number>", line))
    return lines - {"", "WARN"}
