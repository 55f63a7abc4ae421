"""A Lago that was started by hand, without Compose, and whose PostgreSQL and Redis run elsewhere, by TLS alone."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import OURS, docker
from tests.support.live import sshd
from tests.support.patience import PATIENCE
from tests.support.standin.boot import key_values

PASSWORD, REDIS_PASSWORD = "s3cret-of-the-database", "s3cret-of-redis"
DATABASE, REDIS = "postgres.managed.test", "redis.managed.test"
# As a managed service does: nobody comes in without TLS.
_TLS_ALONE = """#!/bin/bash
cp /tls/server.crt /tls/server.key "$PGDATA" && chmod 600 "$PGDATA/server.key"
echo "ssl = on" >>"$PGDATA/postgresql.conf"
sed -i 's/^host all all all/hostssl all all all/' "$PGDATA/pg_hba.conf"
"""


@dataclass
class Apart:
    """What was started: the containers of Lago by role, and the ssh server of their host."""

    folder: Path
    name: str = field(default_factory=lambda: f"selftest-{secrets.token_hex(4)}")
    started: list[str] = field(default_factory=list)
    server: sshd.Sshd | None = None

    @property
    def image(self) -> str:
        """Lago's image, by a tag that says its version."""
        return f"{self.name}/lago-api:v1.16.0"

    def container(self, role: str) -> str:
        return f"{self.name}-{role}"

    def run(self, role: str, image: str, command: Sequence[str] = (), *options: str) -> None:
        name = self.container(role)
        self.started.append(name)
        docker("run", "--detach", "--name", name, "--network", self.name, *options, image, *command)

    def sql(self, text: str) -> str:
        """Run SQL in the server itself."""
        writes = "--env=PGOPTIONS=-c default_transaction_read_only=off"
        return docker(
            "exec", writes, self.container("db"), "psql", "-XAtqc", text, "-U", "lago", "-d", "lago"
        )

    def redis(self, *words: str) -> str:
        """Run a command in Redis itself."""
        client = ("redis-cli", "--tls", "--insecure", "--no-auth-warning", "-a", REDIS_PASSWORD)
        return docker("exec", self.container("redis"), *client, *words)

    def address(self, role: str) -> str:
        """A container's address."""
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return docker("inspect", "--format", shown, self.container(role))


@contextlib.contextmanager
def up(folder: Path) -> Iterator[Apart]:
    """Everything, started and removed."""
    made = Apart(folder)
    docker("network", "create", "--internal", made.name)
    docker("tag", resolve.stand_in("lago-api"), made.image)
    try:
        _stores(made)
        _lago(made)
        made.server = sshd.start(folder / "ssh")
        yield made
    finally:
        if made.server:
            made.server.stop()
        for each in reversed(made.started):
            docker("rm", "--force", "--volumes", each)
        docker("rmi", "--no-prune", made.image)
        docker("network", "rm", made.name)


def _stores(made: Apart) -> None:
    tls, scripts = made.folder / "tls", made.folder / "initdb"
    for each in (tls, scripts):
        each.mkdir()
    subject = ("-subj", f"/CN={DATABASE}", "-days", "2")
    made_key = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject)
    files = ("-keyout", str(tls / "server.key"), "-out", str(tls / "server.crt"))
    subprocess.run([*made_key, *files], check=True, capture_output=True, timeout=PATIENCE)
    (tls / "server.key").chmod(0o644)
    (scripts / "tls.sh").write_text(_TLS_ALONE)
    others = [f"--label={label}={value}" for label, value in OURS.items()]
    made.run(
        "db",
        resolve.stand_in("postgres"),
        (),
        *others,
        f"--network-alias={DATABASE}",
        "--env=POSTGRES_USER=lago",
        f"--env=POSTGRES_PASSWORD={PASSWORD}",
        f"--volume={tls}:/tls:ro",
        f"--volume={scripts}:/docker-entrypoint-initdb.d:ro",
    )
    made.run(
        "redis",
        resolve.stand_in("redis"),
        (
            *("redis-server", "--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no"),
            *("--tls-cert-file", "/tls/server.crt", "--tls-key-file", "/tls/server.key"),
            *("--requirepass", REDIS_PASSWORD, "--maxmemory-policy", "noeviction", "--appendonly", "yes"),
        ),
        *others,
        f"--network-alias={REDIS}",
        f"--volume={tls}:/tls:ro",
    )
    ready = ("exec", made.container("db"), "pg_isready", "-q", "-h", "127.0.0.1", "-U", "lago")
    assert until(lambda: _works(*ready), PATIENCE), "PostgreSQL is not ready"


def _lago(made: Apart) -> None:
    environment = {
        "RAILS_ENV": "production",
        "RAILS_LOG_TO_STDOUT": "true",
        "DATABASE_URL": f"postgresql://lago:{PASSWORD}@{DATABASE}:5432/lago?sslmode=require&pool=5",
        "REDIS_URL": f"rediss://:{REDIS_PASSWORD}@{REDIS}:6379/1",
        "SECRET_KEY_BASE": secrets.token_hex(32),
        "LAGO_RSA_PRIVATE_KEY": str(key_values()["rsa_b64_pkcs8"]),
        "LAGO_FRONT_URL": "http://front.lago.test",
        "LAGO_API_URL": "http://api.lago.test",
    }
    options = [f"--env={name}={value}" for name, value in environment.items()]
    made.run("migrate", made.image, ("./scripts/migrate.sh",), *options)
    assert docker("wait", made.container("migrate")) == "0", docker("logs", made.container("migrate"))
    for role in ("api", "worker", "clock"):
        restarts = ("--restart", "unless-stopped")
        made.run(role, made.image, (f"./scripts/start.{role}.sh",), *options, *restarts)
    assert until(lambda: made.redis("-n", "1", "SCARD", "processes") == "1", PATIENCE), "no worker"
    health = ("exec", made.container("api"), "curl", "-fsS", "http://127.0.0.1:3000/health")
    assert until(lambda: _works(*health), PATIENCE), "the API is not up"


def _works(*words: str) -> bool:
    return (
        subprocess.run(["docker", *words], capture_output=True, timeout=PATIENCE, check=False).returncode == 0
    )
