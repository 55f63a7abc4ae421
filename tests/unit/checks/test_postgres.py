"""Each check of the PostgreSQL server is seen red and green, and unknown or blocked where an answer is missing."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import api_inside, billing_signs, database, database_trouble, schema, services
from lago_acceptance.checks.postgres import clients, service, tables, upkeep
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import DatabaseAnswers, EndpointAnswer, LagoProcess, SignAnswer
from lago_acceptance.facts.database_server import (
    About,
    Archiver,
    Client,
    Collation,
    Connections,
    DatabaseServer,
    Holder,
    Home,
    Index,
    Prepared,
    Sequence,
    SetFor,
    Slot,
    Transaction,
)
from tests.support.facts import NOW, SETTINGS, container, facts, ids, stamp

ABOUT = About(
    version=150004,
    now=NOW,
    started=NOW - 90000,
    processes_started=NOW - 90000,
    in_recovery=False,
    standbys=0,
    role="lago",
    database="lago",
    schemas=("public",),
    sees_all=True,
)
HEALTHY = DatabaseServer(
    about=ABOUT,
    connections=Connections(10, 100, 3, 9, -1, 9, -1),
    clients=(
        Client("10.1.0.4", "puma", "lago", True, False, 5),
        Client(None, "psql", "lago", True, False, 1),
    ),
    transactions=(),
    holders=(),
    prepared=(),
    slots=(),
    archiver=Archiver(),
    indexes=(),
    sequences=(),
    settings={"autovacuum": "on", "fsync": "on", "statement_timeout": "0", "search_path": '"$user", public'},
    set_for=(),
    tables_off=(),
    filtered=(),
    homes=(Home("public"),),
    refused={},
    collations=(),
)
CHECKS = (
    lambda seen: service.takes_writes(seen),
    lambda seen: service.has_connections_left(seen),
    lambda seen: service.nobody_keeps_it_locked(seen),
    lambda seen: service.transactions_end(seen, SETTINGS),
    lambda seen: service.lets_lago_work(seen),
    lambda seen: clients.belong_to_the_deployment(seen, SETTINGS),
    lambda seen: clients.is_used_by_lago(seen),
    lambda seen: upkeep.has_not_crashed(seen),
    lambda seen: upkeep.is_crash_safe(seen),
    lambda seen: upkeep.slots_are_read(seen),
    lambda seen: upkeep.wal_is_archived(seen),
    lambda seen: tables.indexes_are_valid(seen),
    lambda seen: tables.sequences_have_numbers_left(seen),
    lambda seen: tables.autovacuum_is_on(seen),
    lambda seen: tables.collations_are_the_same(seen),
)
URL = {"DATABASE_URL": "postgresql://lago:x@lago-db:5432/lago"}


def seen(server: DatabaseServer | None = HEALTHY, error: str = "", others=(), **more):
    """A deployment whose PostgreSQL has answered."""
    deployment = (
        container("db", {"POSTGRES_USER": "lago"}, addresses={"net": "10.1.0.2"}),
        container("api", URL, addresses={"net": "10.1.0.4"}),
        container("worker", URL, addresses={"net": "10.1.0.5"}),
        container("clock", URL, addresses={"net": "10.1.0.6"}),
    )
    answered = None if server is None else DatabaseAnswers(complete=True, server=server)
    return facts(*deployment, **{"database": answered, "database_error": error, "others": others, **more})


def but(**changed) -> DatabaseServer:
    return msgspec.structs.replace(HEALTHY, **changed)


def about(**changed) -> DatabaseServer:
    return but(about=msgspec.structs.replace(ABOUT, **changed))


def setting(name: str, value: str, *where: SetFor) -> DatabaseServer:
    return but(settings={**HEALTHY.settings, name: value}, set_for=where)


IDLE = Holder(
    71,
    "psql",
    "lago",
    None,
    "idle in transaction",
    "client backend",
    34,
    34,
    tables=("events",),
    modes=("X",),
)
WORKS = Holder(72, "puma", "lago", "10.1.0.4", "active", "client backend", 40, None)


def holder(base: Holder, **changed) -> DatabaseServer:
    return but(holders=(msgspec.structs.replace(base, **changed),))


@pytest.mark.parametrize(
    ("server", "id", "words"),
    [
        (setting("default_transaction_read_only", "on"), "database-read-only", "whole server"),
        (
            setting("default_transaction_read_only", "on", SetFor("default_transaction_read_only", True)),
            "database-read-only",
            "for the role lago",
        ),
        (about(in_recovery=True), "database-in-recovery", "for 25 h"),
        (but(connections=Connections(98, 100, 3, 9, -1, 9, -1)), "database-out-of-connections", "all 97"),
        (but(connections=Connections(84, 100, 3, 9, -1, 9, -1)), "database-connections-near-limit", "83 of 97"),
        (but(connections=Connections(10, 100, 3, 9, 20, 9, -1)), "database-connections-near-limit", "may open 30"),
        (but(connections=Connections(10, 100, 3, 9, -1, 42, 41)), "database-out-of-connections", "database lago"),
        (holder(IDLE), "database-lock-held", "psql of the role lago, pid 71, has kept the table events (X)"),
        (holder(IDLE, idle=None, age=20, state="active"), "database-lock-held", "20 s"),
        (holder(IDLE, age=6, idle=6, address="10.1.0.5"), "database-lock-held", "lago-worker-1"),
        (holder(WORKS, waiting=2, waited=61), "database-lock-held", "2 sessions wait"),
        (holder(WORKS, idle=20, waiting=1, waited=16), "database-lock-held", "rows"),
        (holder(IDLE, age=None, idle=None, kind=None, waiting=1, waited=16), "database-lock-held", "16 s"),
        (
            but(holders=(Holder(0, tables=("events",)),), prepared=(Prepared("left", NOW - 60),)),
            "database-lock-held",
            "the prepared transaction left",
        ),
        (
            but(transactions=(Transaction(5, "psql", "lago", None, "idle", 4000),)),
            "transaction-open-long",
            "67 min",
        ),
        (but(prepared=(Prepared("left", NOW - 8000),)), "prepared-transaction-forgotten", "left"),
        (setting("statement_timeout", "50"), "database-setting-breaks-lago", "50 ms"),
        (setting("lock_timeout", "900"), "database-setting-breaks-lago", "900 ms"),
        (setting("transaction_timeout", "4000"), "database-setting-breaks-lago", "4000 ms"),
        (setting("session_replication_role", "replica"), "database-setting-breaks-lago", "foreign keys"),
        (setting("synchronous_standby_names", "second"), "database-setting-breaks-lago", "every commit waits for one"),
        (but(archiver=Archiver(True, 3, NOW, NOW - 60)), "wal-not-archived", "has failed 3 times"),
        (setting("statement_timeout", "20000"), "database-setting-risky", "20 s"),
        (setting("idle_session_timeout", "1000"), "database-setting-risky", "1 s"),
        (setting("default_transaction_isolation", "serializable"), "database-setting-risky", "serializable"),
        (setting("temp_file_limit", "1024"), "database-setting-risky", "1024 kB"),
        (setting("DateStyle", "SQL, DMY"), "database-setting-risky", "SQL"),
        (setting("search_path", "nowhere", SetFor("search_path", database=True)), "database-setting-risky", "nowhere"),
        (but(homes=(Home("billing"),)), "database-search-path", "billing"),
        (but(homes=(Home("public", False),)), "database-privilege-missing", "USAGE"),
        (but(refused={"events": ("INSERT",)}), "database-privilege-missing", "INSERT on events"),
        (but(filtered=("customers",)), "database-rows-hidden", "customers"),
        (about(password_until=NOW + 86400), "database-password-expires", "expires on"),
        (but(clients=(*HEALTHY.clients, Client("9.9.9.9", "metabase", "bi", True, False, 2))), "database-client-unknown", "bi"),
        (
            but(clients=(*HEALTHY.clients, Client("9.9.9.9", "sidekiq 7", "lago", True, False, 2))),
            "database-client-another-lago",
            "9.9.9.9",
        ),
        (but(clients=()), "database-not-used-by-lago", "neither"),
        (about(processes_started=NOW - 600), "database-crashed", "2026-11-25 09:36"),
        (setting("fsync", "off"), "database-not-crash-safe", "fsync"),
        (but(slots=(Slot("left", "physical", False, 2**30),)), "replication-slot-inactive", "1024 MiB"),
        (but(indexes=(Index("one", "events", True),)), "database-index-invalid", "unique index one of events"),
        (but(sequences=(Sequence("ids", "events", 90, 100),)), "database-sequence-near-end", "90 of 100 (90%)"),
        (setting("autovacuum", "off"), "database-autovacuum-off", "whole server"),
        (but(tables_off=("events",)), "database-autovacuum-off", "events"),
        (but(collations=(Collation("the database", "2.31", "2.36"),)), "database-collation-changed", "2.36"),
    ],
)  # fmt: skip
def test_each_fault_is_found_by_one_check(server, id, words):
    found = [finding for check in CHECKS for finding in check(seen(server))]
    assert ids(found) == [id]
    assert words in found[0].problem and found[0].fix and found[0].impact


@pytest.mark.parametrize(
    "server",
    [
        HEALTHY,
        holder(IDLE, age=3, idle=3),
        holder(IDLE, kind="autovacuum worker"),
        holder(WORKS, waiting=3, waited=30),
        holder(IDLE, waits=True),
        but(transactions=(Transaction(5, "pg_dump", "lago", None, "active", 80000),)),
        but(prepared=(Prepared("new", NOW - 60),)),
        setting("statement_timeout", "60000"),
        setting("search_path", "public", SetFor("search_path", True)),
        setting("search_path", "elsewhere"),
        about(password_until=NOW + 90 * 86400),
        about(processes_started=NOW - 89998),
        about(started=NOW - 9e6, processes_started=NOW - 8e6),
        but(homes=()),
        but(slots=(Slot("read", "physical", True, 2**30),)),
        but(clients=(*HEALTHY.clients, Client("127.0.0.1", "pg_dump", "lago", True), Client("9.9.9.9", "x"))),
        but(connections=Connections(None, None, None)),
        but(archiver=Archiver(True, 3, NOW - 60, NOW)),
        but(
            about=msgspec.structs.replace(ABOUT, standbys=1),
            settings=HEALTHY.settings | {"synchronous_standby_names": "second"},
        ),
        but(settings=HEALTHY.settings | {"synchronous_standby_names": "second", "synchronous_commit": "local"}),
        but(collations=None),
    ],
)  # fmt: skip
def test_what_is_fine_is_not_told(server):
    assert ids(finding for check in CHECKS for finding in check(seen(server))) == []
    assert database_trouble.database_trouble(seen(server)) == ""


def test_what_is_worse_is_an_error():
    (spent,) = tables.sequences_have_numbers_left(seen(but(sequences=(Sequence("ids", "", 96, 100),))))
    (left,) = tables.indexes_are_valid(seen(but(indexes=(Index("one_ccnew", "events", True),))))
    assert (spent.severity, left.severity) == (Severity.ERROR, Severity.WARNING)
    assert "DROP INDEX" in left.fix


@pytest.mark.parametrize(
    ("named", "red"),
    [
        ("9.9.9.9", False),
        ("9.9.0.0/16", False),
        ("metabase", False),
        ("bi-tool", False),
        ("10.0.0.0/8", True),
    ],
)
def test_clients_that_are_named_are_known(named, red):
    other = container(None, id="bi", name="bi-tool", project="bi", addresses={"net": "9.9.9.9"})
    server = but(clients=(Client("9.9.9.9", "metabase", "bi", True, False, 1),))
    settings = msgspec.structs.replace(
        SETTINGS, deployment=msgspec.structs.replace(SETTINGS.deployment, clients=(named,))
    )
    found = list(clients.belong_to_the_deployment(seen(server, others=(other,)), settings))
    assert ids(found) == (["database-client-unknown"] if red else [])


@pytest.mark.parametrize(
    ("role", "id"),
    [("worker", "database-client-another-lago"), ("gateway", None), (None, "database-client-unknown")],
)
def test_a_client_is_judged_by_its_container(role, id):
    other = container(role, id="other", name="other", project="other", addresses={"net": "9.9.9.9"})
    server = but(clients=(Client("9.9.9.9", "", "lago", True, False, 1),))
    found = list(clients.belong_to_the_deployment(seen(server, others=(other,)), SETTINGS))
    assert ids(found) == ([id] if id else [])


def test_sessions_of_a_pooler_or_of_a_lago_that_has_just_started_say_nothing():
    pooled = seen(but(clients=()))
    behind = tuple(
        container(each.role, {"DATABASE_URL": "postgresql://l:x@pgbouncer/lago"}, addresses=each.addresses)
        for each in pooled.containers
    )
    with pytest.raises(Unknown, match="pooler"):
        list(clients.is_used_by_lago(msgspec.structs.replace(pooled, containers=behind)))
    young = tuple(msgspec.structs.replace(each, started_at=stamp(60)) for each in pooled.containers)
    assert list(clients.is_used_by_lago(msgspec.structs.replace(pooled, containers=young))) == []


def test_what_others_do_may_be_hidden():
    hidden = but(
        clients=(Client(None, "", "other", True, True, 1),),
        holders=(Holder(71, role="other", tables=("events",)),),
        about=msgspec.structs.replace(ABOUT, processes_started=None, sees_all=False),
    )
    for check in (
        lambda: service.nobody_keeps_it_locked(seen(hidden)),
        lambda: clients.belong_to_the_deployment(seen(hidden), SETTINGS),
        lambda: clients.is_used_by_lago(seen(hidden)),
        lambda: upkeep.has_not_crashed(seen(hidden)),
    ):
        with pytest.raises(Unknown, match="may not see") as raised:
            list(check())
        assert 'GRANT pg_monitor TO "lago"' in raised.value.fix


@pytest.mark.parametrize("check", CHECKS[:-1])
def test_an_answer_that_is_missing_is_unknown(check):
    with pytest.raises(Unknown, match="did not report"):
        list(check(seen(DatabaseServer(), "ERROR: permission denied")))


@pytest.mark.parametrize(
    ("error", "id"),
    [
        ("FATAL:  sorry, too many clients already", "database-out-of-connections"),
        ("FATAL:  remaining connection slots are reserved for roles with", "database-out-of-connections"),
        ('FATAL:  too many connections for role "lago"', "database-out-of-connections"),
        ("FATAL:  the database system is in recovery mode", "database-in-recovery"),
        ("FATAL:  the database system is starting up", "database-in-recovery"),
    ],
)
def test_a_login_that_is_refused_for_another_reason_than_the_url(error, id):
    refused = seen(None, error)
    found = (
        [*service.has_connections_left(refused)] if "connection" in id else [*service.takes_writes(refused)]
    )
    assert ids(found) == [id] and database_trouble.database_trouble(refused) == id
    for check in (database.lets_lago_in, upkeep.is_crash_safe, schema.is_lagos_alone):
        with pytest.raises(Blocked, match=id):
            list(check(refused))
    with pytest.raises(Blocked, match=id):
        list(billing_signs.of_database(refused, billing_signs.FAILED))


def test_a_sign_that_waited_for_a_lock_is_blocked_by_it():
    timed_out = {"invoices_failed": SignAnswer(error="canceling statement due to lock timeout")}
    short = holder(IDLE, age=2, idle=2, tables=("invoices",))
    locked = DatabaseAnswers(complete=True, server=short, signs=timed_out)
    waited = seen(database=locked)
    assert ids(service.nobody_keeps_it_locked(waited)) == ["database-lock-held"]
    with pytest.raises(Blocked, match="database-lock-held"):
        list(billing_signs.of_database(waited, billing_signs.FAILED))
    free = msgspec.structs.replace(locked, server=HEALTHY)
    with pytest.raises(Unknown, match="lock timeout"):
        list(billing_signs.of_database(seen(database=free), billing_signs.FAILED))


@pytest.mark.parametrize(
    "process",
    [
        LagoProcess(error="nothing came in time"),
        LagoProcess(answers={"/health": EndpointAnswer(500)}, with_key=True, health="{}"),
        LagoProcess(answers={"/health": EndpointAnswer(200), api_inside.ORGANIZATION: EndpointAnswer(500)}, with_key=True),
        LagoProcess(answers={"/health": EndpointAnswer(200), api_inside.ORGANIZATION: EndpointAnswer(401)}, with_key=True),
        LagoProcess(answers={"/health": EndpointAnswer(200)}, with_key=True),
    ],
)  # fmt: skip
def test_what_the_database_explains_of_the_api_is_blocked_by_it(process):
    locked = seen(holder(IDLE), lago={"api": process})
    with pytest.raises(Blocked, match="database-lock-held"):
        list(api_inside.accepts_its_own_key(locked, SETTINGS))
    if process.status("/health") != 200:
        with pytest.raises(Blocked, match="database-lock-held"):
            list(api_inside.is_healthy_and_of_the_expected_version(locked, SETTINGS))


def test_an_api_that_is_unhealthy_for_want_of_a_database_is_not_down():
    api = container("api", URL, health="unhealthy", health_output="500")
    refused = seen(None, "FATAL:  sorry, too many clients already")
    ill = msgspec.structs.replace(refused, containers=(refused.containers[0], api))
    with pytest.raises(Blocked, match="database-out-of-connections"):
        list(services.are_up_and_healthy(ill))
    assert ids(services.are_up_and_healthy(msgspec.structs.replace(ill, database_error=""))) == [
        "service-down"
    ]
