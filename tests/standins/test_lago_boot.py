"""The stand-in for Lago's API image starts, and fails to start, as the real one was recorded to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from lago_acceptance.core.waiting import until
from tests.support.patience import PATIENCE
from tests.support.standin import boot
from tests.support.standin.containers import World, accepts_connections, sql, world

if TYPE_CHECKING:
    from docker.models.containers import Container

AT_A_TIME = 4
API_KEY = "00000000-0000-4000-8000-0000000000aa"

REQUESTS = {
    "/health": "/health",
    "grpc_token": "/api/v1/organizations/grpc_token",
    "public key": "/api/v1/webhooks/json_public_key",
    "organization": "/api/v1/organizations",
}
"""In the order in which they were recorded; the first two are in the table."""

ROWS = {row.case: row for row in boot.rows()}


class Boots:
    """Starts every case that is asked for, a few at a time, and keeps what was seen."""

    def __init__(self, world: World) -> None:
        self.world = world
        # Whoever migrates a database while another does is refused, as with the real one.
        self.migrating = Lock()
        self.changes = boot.changes()
        self.good = {
            "RAILS_ENV": "production",
            "RAILS_LOG_TO_STDOUT": "true",
            "DATABASE_URL": "postgresql://lago:lago@lago-db:5432/lago",
            "REDIS_URL": "redis://lago-redis:6379",
            "LAGO_REDIS_CACHE_URL": "redis://lago-redis:6379/9",
            "SECRET_KEY_BASE": secrets.token_hex(32),
            "LAGO_RSA_PRIVATE_KEY": self.changes["rsa_b64_pkcs8"]["LAGO_RSA_PRIVATE_KEY"],
            "LAGO_FRONT_URL": "http://front.lago.test",
        }

    def environment(self, changes: dict[str, str | None]) -> dict[str, str]:
        return {name: value for name, value in (self.good | changes).items() if value is not None}

    def prepare(self) -> boot.Seen:
        """Both databases migrated, one of them seeded: the run that is recorded as migrate_ok."""
        world = self.world
        databases = [
            world.database("lago-db"),
            world.database("ascii-db", POSTGRES_INITDB_ARGS="--encoding=SQL_ASCII --locale=C"),
        ]
        world.redis("lago-redis")
        for database in databases:
            assert until(lambda of=database: accepts_connections(of), PATIENCE), "PostgreSQL is not ready"
        sql(databases[0], "CREATE DATABASE empty")
        elsewhere = {"REDIS_URL": "redis://lago-redis:6379/1"}
        key = {"LAGO_ORG_API_KEY": "set", "LAGO_API_KEY": API_KEY}
        first = self.start("migrate_ok", boot.MIGRATE, elsewhere | boot.NEW_ORGANIZATION | key, "exited")
        other = self.start(
            "migrate_ascii", "bundle exec rails db:migrate", elsewhere | boot.ASCII_DATABASE, "exited"
        )
        assert (first.state, other.state) == ("exited 0", "exited 0"), first.log + other.log
        return first

    def case(self, name: str) -> boot.Seen:
        row = ROWS[name]
        with self.migrating if row.script in boot.MIGRATES else nullcontext():
            return self.start(name, row.script, self.changes[name], row.state, requests=row.health != "-")

    def start(
        self, name: str, script: str, changes: dict[str, str | None], expected: str, requests: bool = False
    ) -> boot.Seen:
        import docker.errors

        container = self.world.lago(name, script, self.environment(changes))
        try:
            container.start()
        except docker.errors.APIError as error:
            container.reload()
            return boot.Seen(_state(container), str(error.explanation))
        ready = boot.ready(script, name).encode()
        running = expected.startswith("running")

        def settled() -> bool:
            container.reload()
            return container.status == "exited" or (running and ready in container.logs())

        assert until(settled, PATIENCE), f"{name} neither ready nor ended:\n{container.logs().decode()}"
        statuses = (
            {about: self.status(container, path) for about, path in REQUESTS.items()} if requests else {}
        )
        container.reload()
        seen = boot.Seen(_state(container), container.logs().decode(), statuses)
        container.kill() if container.status == "running" else None
        return seen

    @staticmethod
    def status(container: Container, path: str) -> str:
        command = [
            "curl",
            "-s",
            "-m",
            "20",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            f"http://127.0.0.1:3000{path}",
        ]
        return container.exec_run([*command, "-H", f"Authorization: Bearer {API_KEY}"]).output.decode()


def _state(container: Container) -> str:
    return f"{container.status} {container.attrs['State']['ExitCode']}"


@pytest.fixture(scope="module")
def boots() -> Iterator[Boots]:
    with world() as made:
        yield Boots(made)


@pytest.fixture(scope="module")
def migrated(boots: Boots) -> boot.Seen:
    return boots.prepare()


@pytest.fixture(scope="module")
def seen(
    boots: Boots, migrated: boot.Seen, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[boot.Seen]]]:
    """What each selected case showed; all of them are under way as soon as the first one is asked for."""
    mine = [item for item in request.session.items if item.path == request.path]
    selected = [item.callspec.params["case"] for item in mine if "seen" in item.fixturenames]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {case: pool.submit(boots.case, case) for case in dict.fromkeys(selected)}


@pytest.mark.parametrize("case", ROWS)
def test_stand_in_starts_as_recorded(case: str, seen: dict[str, Future[boot.Seen]]) -> None:
    row, found = ROWS[case], seen[case].result()
    assert found.state == " ".join(row.state.split()[:2]), found.log
    if row.health != "-":
        assert (found.statuses["/health"], found.statuses["grpc_token"]) == (row.health, row.grpc_token), (
            found.log
        )
    if case == "script_start_migrate_missing":
        assert "no such file or directory" in found.log
    recording = boot.RECORDINGS / f"{case}.log"
    if recording.exists():
        log = boot.first_tick(found.log) if row.script == "./scripts/start.clock.sh" else found.log
        assert boot.signatures(log) == boot.signatures(recording.read_text()), found.log


def test_every_recorded_log_has_a_case() -> None:
    assert {path.stem for path in boot.RECORDINGS.glob("*.log")} - {"migrate_ok"} <= set(ROWS)


def test_migrations_run_as_recorded(boots: Boots, migrated: boot.Seen) -> None:
    # The first job that is enqueued says so in the middle, which the recording leaves out.
    printed = {line for line in boot.signatures(migrated.log) if "connecting to Redis" not in line}
    assert printed == boot.signatures((boot.RECORDINGS / "migrate_ok.log").read_text())
    applied = [
        line for line in migrated.log.splitlines() if line.startswith("== ") and ": migrated (" in line
    ]
    assert len(applied) == 408
    database = next(box for box in boots.world.containers if box.name.endswith("lago-db"))
    bounds = sql(database, "SELECT count(*), min(version), max(version) FROM schema_migrations")
    assert bounds == "408|20220525122759|20241119110219"
