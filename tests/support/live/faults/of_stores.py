"""Faults of PostgreSQL and Redis: they answer, and refuse, stall or lose what Lago gives them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from lago_acceptance.core.waiting import until
from tests.support import containers
from tests.support.containers import docker
from tests.support.live.faults import Fault, Making
from tests.support.live.lago import LiveLago
from tests.support.patience import PATIENCE

NETWORKS = "{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}"


def sql(made: str, undone: str) -> Making:
    """Statements that make a fault, and those that take it back."""

    @contextlib.contextmanager
    def making(lago: LiveLago) -> Iterator[None]:
        # One statement each: some can't be run inside a transaction.
        for statement in made.split(";\n"):
            lago.sql(statement)
        try:
            yield
        finally:
            for statement in undone.split(";\n"):
                lago.sql(statement)

    return making


def holding(statement: str) -> Making:
    """A session that runs a statement in a transaction and then does nothing."""

    @contextlib.contextmanager
    def making(lago: LiveLago) -> Iterator[None]:
        words = ("exec", "-i", lago.container("lago-db"), "psql", "-X", "-q", "-U", "lago", "-d", "lago")
        with subprocess.Popen(["docker", *words], stdin=subprocess.PIPE, text=True) as session:
            assert session.stdin
            session.stdin.write(f"SET application_name = 'psql by hand';\nBEGIN;\n{statement};\n")
            session.stdin.flush()
            idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql by hand' AND state LIKE 'idle in%'"
            assert until(lambda: lago.sql(idle) == "1", PATIENCE)
            try:
                yield
            finally:
                session.stdin.close()
                session.wait(PATIENCE)

    return making


def _index(lago: LiveLago) -> tuple[str, str]:
    """Name and definition of the index that keeps an event from being counted twice."""
    found = lago.sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexdef LIKE '%UNIQUE%transaction_id%'"
    )
    name, _, definition = found.splitlines()[0].partition("|")
    return name, definition


@contextlib.contextmanager
def index_dropped(lago: LiveLago) -> Iterator[None]:
    """The index was dropped, as by a restore that broke off."""
    name, definition = _index(lago)
    lago.sql(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        lago.sql(definition)


@contextlib.contextmanager
def index_invalid(lago: LiveLago) -> Iterator[None]:
    """It was built concurrently, and the building failed."""
    name, _ = _index(lago)
    valid = f"UPDATE pg_index SET indisvalid = %s WHERE indexrelid = '\"{name}\"'::regclass"
    lago.sql(valid % "false")
    try:
        yield
    finally:
        lago.sql(valid % "true")


def redis(made: tuple[str, ...], undone: tuple[str, ...]) -> Making:
    """A command of Redis that makes a fault, and the one that takes it back."""

    @contextlib.contextmanager
    def making(lago: LiveLago) -> Iterator[None]:
        lago.redis(*made)
        try:
            yield
        finally:
            lago.redis(*undone)

    return making


@contextlib.contextmanager
def snapshots_fail(lago: LiveLago) -> Iterator[None]:
    """Redis can't write its snapshot, for a folder has its name, and so refuses every write."""
    id = lago.container("lago-redis")
    folder, file = (lago.redis("CONFIG", "GET", name).splitlines()[-1] for name in ("dir", "dbfilename"))
    saved = lago.redis("CONFIG", "GET", "save").splitlines()[1:]
    docker(
        "exec",
        id,
        "sh",
        "-c",
        f"cd {folder} && {{ [ ! -e {file} ] || mv {file} {file}.kept; }} && mkdir {file}",
    )
    lago.redis("CONFIG", "SET", "save", "60 1")
    failed = "rdb_last_bgsave_status:err"
    assert _saved(lago, lambda said: failed in said)
    try:
        yield
    finally:
        docker("exec", id, "sh", "-c", f"cd {folder} && rmdir {file}")
        assert _saved(lago, lambda said: failed not in said)
        lago.redis("CONFIG", "SET", "save", *saved or [""])


def _saved(lago: LiveLago, ended: Callable[[str], bool]) -> bool:
    """Let Redis save until its state is as wanted."""

    def tried() -> bool:
        lago.redis("BGSAVE")
        return ended(lago.redis("INFO", "persistence"))

    return until(tried, PATIENCE)


@contextlib.contextmanager
def password_changed(lago: LiveLago) -> Iterator[None]:
    """Redis wants a password that Lago doesn't have."""
    lago.redis("CONFIG", "SET", "requirepass", "another-one-of-redis")
    try:
        yield
    finally:
        docker(
            "exec",
            "-e",
            "REDISCLI_AUTH=another-one-of-redis",
            lago.container("lago-redis"),
            "redis-cli",
            "CONFIG",
            "SET",
            "requirepass",
            "",
        )


@contextlib.contextmanager
def foreign_redis(lago: LiveLago) -> Iterator[None]:
    """Another project's Redis has our Redis' name on our own network: look-ups give one or the other."""
    redis, api = lago.container("lago-redis"), lago.container("lago-api")
    image = docker("inspect", "--format", "{{.Config.Image}}", redis)
    url = docker("exec", api, "printenv", "REDIS_URL")
    name = urlsplit(url).hostname
    [network] = docker("inspect", "--format", NETWORKS, redis).split()
    alias = ("--network-alias", name, "--label=com.docker.compose.project=shop")
    with containers.running(image, options=("--network", network, *alias), name=f"{lago.project}-shop-redis"):
        yield


@contextlib.contextmanager
def redis_of_the_host(lago: LiveLago) -> Iterator[None]:
    """In the worker's container our Redis' name leads to a Redis that runs on the host itself, in no container's network."""
    redis, worker = lago.container("lago-redis"), lago.container("lago-worker")
    image = docker("inspect", "--format", "{{.Config.Image}}", redis)
    name = urlsplit(docker("exec", worker, "printenv", "REDIS_URL")).hostname
    host = docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}", worker
    ).split()[0]
    kept = docker("exec", worker, "cat", "/etc/hosts")
    server = ("redis-server", "--bind", host, "--protected-mode", "no")
    with containers.running(
        image, *server, options=("--network", "host"), name=f"{lago.project}-of-the-host"
    ):
        docker("exec", worker, "sh", "-c", f"echo '{host} {name}' >>/etc/hosts")
        try:
            yield
        finally:
            docker("exec", worker, "sh", "-c", 'printf "%s\n" "$1" >/etc/hosts', "sh", kept)


FAULTS = (
    Fault(
        name="another project's Redis has our Redis' name",
        made=foreign_redis,
        id="store-name-ambiguous",
        said=("shop-redis",),
        slow=True,
    ),
    Fault(
        name="the worker's Redis is one on the host",
        made=redis_of_the_host,
        id="store-is-another",
        said=("REDIS_URL", "run_id"),
        slow=True,
    ),
    Fault(
        name="Redis can't save its snapshot",
        made=snapshots_fail,
        id="redis-cannot-save",
        said=("docker",),
        slow=True,
    ),
    Fault(
        name="Redis' memory is full",
        made=redis(("CONFIG", "SET", "maxmemory", "1mb"), ("CONFIG", "SET", "maxmemory", "0")),
        id="redis-memory-full",
        slow=True,
    ),
    Fault(
        name="Redis is a replica",
        made=redis(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        id="redis-is-a-replica",
        slow=True,
    ),
    Fault(
        name="Redis' password was changed",
        made=password_changed,
        id="redis-refuses-lago",
        said=("NOAUTH",),
        slow=True,
    ),
    Fault(
        name="the database is read-only",
        made=sql(
            "ALTER DATABASE lago SET default_transaction_read_only = on",
            "ALTER DATABASE lago RESET default_transaction_read_only",
        ),
        id="database-read-only",
        said=("default_transaction_read_only", "ALTER DATABASE"),
    ),
    Fault(
        name="a session holds a lock on events",
        made=holding("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"),
        id="database-lock-held",
        said=("events", "psql by hand", "pg_terminate_backend"),
    ),
    Fault(
        name="a session holds a lock on invoices",
        made=holding("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE"),
        id="database-lock-held",
        said=("invoices",),
        slow=True,
    ),
    Fault(
        name="a role's statement_timeout is 10 ms",
        made=sql(
            "ALTER ROLE lago IN DATABASE lago SET statement_timeout = '10ms'",
            "ALTER ROLE lago IN DATABASE lago RESET statement_timeout",
        ),
        id="database-setting-breaks-lago",
        said=("statement_timeout",),
        slow=True,
    ),
    Fault(
        name="the index that keeps events from counting twice is gone",
        made=index_dropped,
        id="schema-unique-index-missing",
        said=("events", "twice"),
    ),
    Fault(
        name="a trigger on invoices",
        made=sql(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"
            "CREATE TRIGGER note AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION note()",
            "DROP TRIGGER note ON invoices;\nDROP FUNCTION note",
        ),
        id="schema-trigger-added",
        said=("invoices",),
        slow=True,
    ),
    Fault(
        name="an invalid index", made=index_invalid, id="database-index-invalid", said=("events",), slow=True
    ),
    Fault(
        name="a replication slot that nobody reads",
        made=sql(
            "SELECT pg_create_physical_replication_slot('forgotten', true)",
            "SELECT pg_drop_replication_slot('forgotten')",
        ),
        id="replication-slot-inactive",
        said=("forgotten",),
        warning=True,
        slow=True,
    ),
    Fault(
        name="autovacuum is off for events",
        made=sql(
            "ALTER TABLE events SET (autovacuum_enabled = false)",
            "ALTER TABLE events RESET (autovacuum_enabled)",
        ),
        id="database-autovacuum-off",
        said=("events",),
        warning=True,
        slow=True,
    ),
)
