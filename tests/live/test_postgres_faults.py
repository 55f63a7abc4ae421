"""Faults of a real PostgreSQL: each is found by its check and no other, and gone once the fix that it names was run."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import time
from collections.abc import Iterator

import pytest

from lago_acceptance.checks import database, database_trouble, schema
from lago_acceptance.checks.postgres import clients, locks, service, tables, upkeep
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.core.waiting import until
from lago_acceptance.facts import answers
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.types import Facts
from lago_acceptance.images import resolve
from tests.support import containers
from tests.support.containers import Container, docker
from tests.support.facts import SETTINGS, container, facts
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.docker]

SERVER = (
    "postgres",
    "-c",
    "max_prepared_transactions=4",
    "-c",
    "wal_level=logical",
    "-c",
    "max_connections=30",
    "-c",
    "archive_mode=on",
)
SCHEMA = """
CREATE ROLE lago LOGIN PASSWORD 'lago' IN ROLE pg_monitor;
CREATE ROLE limited LOGIN PASSWORD 'lago';
CREATE DATABASE lago OWNER lago;
\\c lago
SET ROLE lago;
CREATE TABLE schema_migrations (version text PRIMARY KEY);
CREATE TABLE organizations (id uuid PRIMARY KEY);
CREATE TABLE events (id serial PRIMARY KEY, transaction_id text NOT NULL);
INSERT INTO events (transaction_id) VALUES ('twice'), ('twice');
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
GRANT ALL ON ALL TABLES IN SCHEMA public TO limited;
"""
# A command of docker's in a sentence: words as shlex.join writes them.
COMMAND = re.compile(r"""docker exec(?: (?:'(?:[^']|'"'"')*'|[\w@%+=:./-]+))+""")


class Server:
    """A PostgreSQL with the tables that matter here, in the container of a deployment."""

    def __init__(self, running: Container):
        self.running = running

    def psql(self, text: str, name: str = "lago") -> str:
        """What statements print that the superuser makes one after the other."""
        command = ["docker", "exec", "-i", self.running.name, "psql", "-XqAt", "-U", "admin", "-d", name]
        return subprocess.run(
            command,
            input=f"SET default_transaction_read_only = off;\n{text}",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        ).stdout

    def look(self, role: str = "lago") -> Facts:
        """What PostgreSQL answers to the questions of facts/scripts/collect.sh."""
        url = f"postgresql://{role}:lago@{self.running.address}/lago"
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_ROLLBACK=on", "-U", "admin", "-d", "admin"]
        ended = subprocess.run(
            ["docker", "exec", "-i", self.running.name, *command],
            input=f"\\c '{url}'\nSET search_path TO public;\n{render.script('database.sql')}\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        answered, error = answers.database({"db": ended.stdout})
        db = container(
            "db", {"POSTGRES_USER": "admin"}, name=self.running.name, addresses={"net": self.running.address}
        )
        return facts(db, database=answered, database_error=error, host_clock=time.time())

    @contextlib.contextmanager
    def session(self, *statements: str, role: str = "lago") -> Iterator[subprocess.Popen[str]]:
        """A session that has made statements and stays."""
        url = f"postgresql://{role}:lago@{self.running.address}/lago"
        command = ["docker", "exec", "-i", self.running.name, "psql", "-XqAt", url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
            started.stdin.write(";\n".join((*statements, "SELECT 'ready'")) + ";\n")
            started.stdin.flush()
            assert "ready\n" in started.stdout
            try:
                yield started
            finally:
                started.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    options = ("--env=POSTGRES_USER=admin", "--env=POSTGRES_PASSWORD=admin", "--shm-size=64m")
    with containers.running(resolve.stand_in("postgres"), *SERVER, options=options) as running:
        ready = ("pg_isready", "--host=127.0.0.1", "--quiet")
        assert until(lambda: running.execute(*ready).returncode == 0, PATIENCE), running.logs()
        found = Server(running)
        found.psql(SCHEMA, "admin")
        yield found


def findings(seen: Facts) -> list[Finding]:
    """What all checks of the server find; what is not judged is left out."""
    found: list[Finding] = []
    for check in (
        lambda: database.lets_lago_in(seen),
        lambda: service.takes_writes(seen),
        lambda: service.has_connections_left(seen),
        lambda: service.nobody_keeps_it_locked(seen),
        lambda: service.transactions_end(seen, SETTINGS),
        lambda: service.lets_lago_work(seen),
        lambda: clients.belong_to_the_deployment(seen, SETTINGS),
        lambda: upkeep.has_not_crashed(seen),
        lambda: upkeep.is_crash_safe(seen),
        lambda: upkeep.slots_are_read(seen),
        lambda: upkeep.wal_is_archived(seen),
        lambda: tables.indexes_are_valid(seen),
        lambda: tables.sequences_have_numbers_left(seen),
        lambda: tables.autovacuum_is_on(seen),
        lambda: tables.collations_are_the_same(seen),
    ):
        with contextlib.suppress(Blocked, Unknown):
            found += check()
    return found


def ids(seen: Facts) -> list[str]:
    return [each.id for each in findings(seen)]


def test_a_healthy_server_answers_everything_and_nothing_is_found(server):
    seen = server.look()
    assert ids(seen) == []
    # Only the signs find no table here.
    assert seen.database.complete and seen.database_error.startswith('ERROR:  relation "')
    missing = [
        name for name in seen.database.server.__struct_fields__ if getattr(seen.database.server, name) is None
    ]
    assert missing == []


# Rounds of faults that don't hide each other: the statements that make one, its finding and a word of the problem.
ROUNDS = {
    "role": (
        ("ALTER ROLE lago SET default_transaction_read_only = on", "database-read-only", "role lago"),
        ("ALTER ROLE lago SET statement_timeout = 1", "database-setting-breaks-lago", "1 ms for the role"),
        (
            "ALTER ROLE lago IN DATABASE lago SET lock_timeout = '20ms'",
            "database-setting-breaks-lago",
            "20 ms for the role lago in the database lago",
        ),
        ("ALTER ROLE lago SET session_replication_role = replica", "database-setting-breaks-lago", "replica"),
        ("ALTER ROLE lago SET search_path = nowhere", "database-setting-risky", "nowhere"),
        ("ALTER ROLE lago SET synchronous_commit = off", "database-not-crash-safe", "for the role lago"),
        ("ALTER ROLE lago VALID UNTIL 'tomorrow'", "database-password-expires", "expires on"),
        ("REVOKE INSERT ON events FROM lago", "database-privilege-missing", "INSERT on events"),
        ("ALTER TABLE organizations ENABLE ROW LEVEL SECURITY", "database-rows-hidden", "organizations"),
    ),
    "database": (
        ("ALTER DATABASE lago SET default_transaction_read_only = on", "database-read-only", "database lago"),
        (
            "ALTER DATABASE lago SET idle_in_transaction_session_timeout = '1ms'",
            "database-setting-breaks-lago",
            "1 ms for the database",
        ),
        (
            "ALTER DATABASE lago SET default_transaction_isolation = serializable",
            "database-setting-risky",
            "serializable",
        ),
        ("ALTER DATABASE lago SET DateStyle = 'German'", "database-setting-risky", "German"),
        ("REVOKE SELECT, UPDATE ON events FROM lago", "database-privilege-missing", "UPDATE on events"),
    ),
    "server": (
        ("ALTER SYSTEM SET fsync = off", "database-not-crash-safe", "fsync = off for the whole server"),
        ("ALTER SYSTEM SET autovacuum = off", "database-autovacuum-off", "whole server"),
        ("ALTER SYSTEM SET statement_timeout = '10s'", "database-setting-risky", "10 s for the whole server"),
        (
            "ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()",
            "database-read-only",
            "whole server",
        ),
    ),
    "standby": (
        (
            "ALTER SYSTEM SET synchronous_standby_names = 'gone'; SELECT pg_reload_conf()",
            "database-setting-breaks-lago",
            "synchronous_standby_names is gone, and no standby is connected",
        ),
    ),
    "archive": (
        (
            "ALTER SYSTEM SET archive_command = 'false'; SELECT pg_reload_conf(); SELECT pg_create_restore_point('here'); "
            "SELECT pg_switch_wal()",
            "wal-not-archived",
            "it has never worked",
        ),
    ),
    "memory": (
        (
            "ALTER SYSTEM SET work_mem = '64kB'; ALTER SYSTEM SET temp_file_limit = '1kB'; SELECT pg_reload_conf()",
            "database-setting-risky",
            "temp_file_limit is 1 kB",
        ),
    ),
    "tables": (
        ("ALTER TABLE events SET (autovacuum_enabled = off)", "database-autovacuum-off", "events"),
        (
            "SELECT pg_create_logical_replication_slot('left', 'pgoutput')",
            "replication-slot-inactive",
            "logical replication slot left",
        ),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY twice ON events (transaction_id); DELETE FROM events WHERE id = 2",
            "database-index-invalid",
            "unique index twice of events",
        ),
        (
            "SELECT setval('events_id_seq', 1900000000)",
            "database-sequence-near-end",
            "1900000000 of 2147483647 (88%)",
        ),
    ),
}
REST = """
ALTER DATABASE lago RESET ALL;
ALTER ROLE lago RESET ALL;
ALTER ROLE lago IN DATABASE lago RESET ALL;
ALTER SYSTEM RESET ALL;
SELECT pg_reload_conf();
SELECT pg_stat_reset_shared('archiver');
GRANT ALL ON events TO lago;
ALTER ROLE lago NOBYPASSRLS;
ALTER TABLE organizations DISABLE ROW LEVEL SECURITY;
DROP INDEX IF EXISTS twice;
SELECT setval('events_id_seq', 2);
"""


@pytest.mark.parametrize("name", ROUNDS)
def test_each_fault_is_found_and_its_fix_ends_it(name, server):
    faults = ROUNDS[name]
    server.psql("".join(f"{each};\n" for make, _, _ in faults for each in make.split("; ")))
    try:
        wanted = {(id, word) for _, id, word in faults}
        # The server reads its own file in its own time.
        until(lambda: len(ids(server.look())) >= len(wanted), 5)
        seen = findings(server.look())
        assert sorted(each.id for each in seen) == sorted(id for id, _ in wanted)
        assert [
            each for each in wanted if not any(each[0] == one.id and each[1] in one.problem for one in seen)
        ] == []
        for command in (each for finding in seen for each in COMMAND.findall(finding.fix)):
            subprocess.run(shlex.split(command), timeout=PATIENCE, capture_output=True, check=False)
        # Nobody widens a column in passing, nor makes room in an archive.
        left = [id for _, id, _ in faults if id in ("database-sequence-near-end", "wal-not-archived")]
        assert until(lambda: ids(server.look()) == left, PATIENCE), ids(server.look())
    finally:
        server.psql(REST)


def locked(server: Server, *statements: str, seen=None) -> None:
    """A session that has made statements is the one finding, and its fix ends the session."""
    with server.session(*statements) as session:
        look = seen or server.look
        (finding,) = findings(look())
        assert finding.id == "database-lock-held" and "idle in its transaction" in finding.problem
        (command,) = COMMAND.findall(finding.fix)
        subprocess.run(shlex.split(command), timeout=PATIENCE, check=True, capture_output=True)
        session.stdin.write("SELECT 1;\n")
        session.stdin.close()
        assert session.wait(PATIENCE) != 0
    assert until(lambda: ids(server.look()) == [], PATIENCE)


def test_a_table_that_an_idle_session_keeps_locked_while_nobody_waits(server, monkeypatch):
    statements = ("BEGIN", "LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
    with server.session(*statements):
        # For a moment it may.
        assert ids(server.look()) == []
        monkeypatch.setattr(locks, "IDLE", 0)
        (finding,) = findings(server.look())
        assert "events (AccessExclusiveLock)" in finding.problem and "nobody waits" in finding.problem
    locked(server, *statements)


def test_a_lock_that_stops_this_look_is_found_at_once_and_blocks_what_it_stops(server):
    with server.session("BEGIN", "LOCK TABLE schema_migrations"):
        seen = server.look()
        assert ids(seen) == ["database-lock-held"]
        with pytest.raises(Blocked, match="database-lock-held"):
            list(schema.is_the_images(seen, SETTINGS))
        assert database_trouble.database_trouble(seen) == "database-lock-held"


def test_rows_that_an_idle_session_keeps_from_another(server, monkeypatch):
    monkeypatch.setattr(locks, "TABLE", 0.1)
    row = "UPDATE events SET transaction_id = transaction_id WHERE id = 1"
    with server.session("BEGIN", row), server.session("SELECT 1") as waiting:
        waiting.stdin.write(f"{row};\n")
        waiting.stdin.flush()
        (finding,) = until(lambda: findings(server.look()), PATIENCE)
        assert finding.id == "database-lock-held" and "1 sessions wait" in finding.problem


def test_a_prepared_transaction_with_a_lock(server, monkeypatch):
    monkeypatch.setattr(locks, "TABLE", 0)
    server.psql("BEGIN;\nLOCK TABLE events;\nPREPARE TRANSACTION 'left';\n")
    (finding,) = findings(server.look())
    assert finding.id == "database-lock-held" and "prepared transaction left" in finding.problem
    command = COMMAND.findall(finding.fix)[0]
    subprocess.run(shlex.split(command), timeout=PATIENCE, check=True, capture_output=True)
    assert ids(server.look()) == []


def test_a_role_that_may_not_see_others(server):
    seen = server.look("limited")
    assert ids(seen) == []
    with server.session("BEGIN", "LOCK TABLE events"):
        hidden = server.look("limited")
        with pytest.raises(Unknown, match="how long pid"):
            list(service.nobody_keeps_it_locked(hidden))
        with pytest.raises(Unknown, match="where the sessions"):
            list(clients.belong_to_the_deployment(hidden, SETTINGS))
    with pytest.raises(Unknown, match="own processes"):
        list(upkeep.has_not_crashed(seen))


def test_no_connection_is_left(server):
    with contextlib.ExitStack() as several:
        several.enter_context(server.session("SELECT 1"))
        server.psql("ALTER ROLE lago CONNECTION LIMIT 1;\n")
        several.callback(server.psql, "ALTER ROLE lago CONNECTION LIMIT -1;\n")
        seen = server.look()
        assert ids(seen) == ["database-out-of-connections"]
        with pytest.raises(Blocked, match="database-out-of-connections"):
            list(schema.is_the_images(seen, SETTINGS))
    assert until(lambda: ids(server.look()) == [], PATIENCE)


def test_a_client_that_is_no_part_of_the_deployment(server):
    image = docker("inspect", "--format", "{{.Config.Image}}", server.running.name)
    url = f"postgresql://lago:lago@{server.running.address}/lago?application_name="
    for name, id in (
        ("metabase", "database-client-unknown"),
        ("sidekiq 7.2", "database-client-another-lago"),
    ):
        # Idle, so that PostgreSQL sees at once that it has gone.
        command = ("sh", "-c", f"sleep 300 | psql {shlex.quote(url + name.replace(' ', '%20'))}")
        with containers.running(image, *command, options=("--entrypoint=",)) as client:
            (finding,) = until(lambda: findings(server.look()), PATIENCE)
            assert finding.id == id and client.address in finding.problem and name in finding.problem
        assert until(lambda: ids(server.look()) == [], PATIENCE)


def test_a_process_that_was_killed(server, monkeypatch):
    """The last of the module: PostgreSQL's own processes are started again, and nothing undoes that but a restart."""
    monkeypatch.setattr(upkeep, "_STARTING", 0.5)
    assert ids(server.look()) == []
    with server.session("SELECT 1"):
        pid = server.psql("SELECT pid FROM pg_stat_activity WHERE usename = 'lago';\n").strip()
        server.running.execute("sh", "-c", f"kill -9 {pid}")
    assert until(lambda: ids(server.look()) == ["database-crashed"], PATIENCE), ids(server.look())
    assert "terminated by signal 9" in server.running.logs()
