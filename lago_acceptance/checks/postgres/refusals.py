"""Why PostgreSQL refuses: it has no connection left, takes no writes, or recovers. Nothing here needs its answer."""

from __future__ import annotations

import re

from lago_acceptance.checks.postgres.remedies import (
    lasting,
    log,
    psql,
    server,
    set_where,
    unset,
    whose,
)
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, DB, WORKER
from lago_acceptance.facts.types import Facts
from lago_acceptance.facts.untrusted import whole_number

# Of the connections that are allowed; beyond it the next deploy or a busy hour may take the rest.
NEARLY_ALL = 0.85
_NO_CONNECTION = re.compile(
    r"too many clients already|remaining connection slots are reserved|too many connections for (role|database)"
)
_RECOVERS = re.compile(
    r"the database system is (starting up|in recovery mode|shutting down|not (yet )?accepting connections)"
)
_WHO = "SELECT usename, application_name, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC"


def _refused(facts: Facts, words: re.Pattern[str]) -> str:
    """The words with which PostgreSQL refused the login, or ""."""
    found = words.search(facts.database_error) if facts.database is None else None
    return found[0] if found else ""


def limits(facts: Facts) -> list[tuple[int, int, str]]:
    """Connections in use, this look's own aside, how many there may be, and by what limit."""
    found, about = server(facts).connections, server(facts).about
    if found is None or about is None:
        return []
    given = [
        (found.of_role, found.role_limit, f"the limit of the role {about.role}"),
        (found.of_database, found.database_limit, f"the limit of the database {about.database}"),
    ]
    if found.maximum is not None:
        kept = 0 if about.superuser else found.reserved or 0
        words = "max_connections" + (f", {kept} of which are kept for superusers" if kept else "")
        given.insert(0, (found.used, found.maximum - kept, words))
    return [
        (used - 1, limit, words)
        for used, limit, words in given
        if used is not None and limit is not None and limit >= 0
    ]


def holders(facts: Facts) -> str:
    """Who has the most connections."""
    most = sorted(server(facts).clients or (), key=lambda each: -each.count)[:3]
    return ", ".join(
        f"{each.count} by {whose(facts, each.application, each.address, each.role)}" for each in most
    )


def out_of_connections(facts: Facts) -> Finding | None:
    """PostgreSQL has no connection left for Lago, as its words or its numbers say."""
    problem = ""
    if words := _refused(facts, _NO_CONNECTION):
        problem = f"PostgreSQL has no connection left: it refuses Lago's login with {words!r}"
    for used, limit, words in limits(facts):
        if used >= limit and not problem:
            problem = f"all {limit} connections are in use ({words}): {holders(facts)}"
    if not problem:
        return None
    return Finding(
        id="database-out-of-connections",
        role=DB,
        problem=problem,
        impact="requests answer 500 and jobs fail as soon as they need one more connection: usage is lost, no invoice "
        "is made",
        fix=f"find who holds them ({psql(facts, _WHO)}) and restart that client; while nobody gets in, to restart "
        f"PostgreSQL cuts all of them. Then lower DATABASE_POOL or raise the limit",
    )


def near_the_limit(facts: Facts) -> Finding | None:
    """Nearly all connections are in use, or fewer are allowed than Lago's pools may open."""
    for used, limit, words in limits(facts):
        if limit * NEARLY_ALL <= used < limit:
            problem = f"{used} of {limit} connections are in use ({words}): {holders(facts)}"
            break
        pools = _pools(facts)
        if limit < pools:
            problem = f"{limit} connections are allowed ({words}), and the pools of Lago's processes may open {pools}"
            break
    else:
        return None
    return Finding(
        id="database-connections-near-limit",
        role=DB,
        problem=problem,
        impact="when none is left, requests answer 500 and jobs fail",
        fix=f"find who holds them ({psql(facts, _WHO)}); lower DATABASE_POOL or that client's pool, or raise the limit",
    )


def _pools(facts: Facts) -> int:
    """How many connections Lago's processes may open: DATABASE_POOL each, 10 where it isn't set."""
    pools = (
        each.service.value("DATABASE_POOL") for each in facts.of_role(API, WORKER, CLOCK) if each.running
    )
    return sum(whole_number(each or "") or 10 for each in pools)


def in_recovery(facts: Facts) -> Finding | None:
    """PostgreSQL recovers: it does not let anybody in yet, or lets them read only."""
    about = server(facts).about
    words = _refused(facts, _RECOVERS)
    if not words and not (about and about.in_recovery):
        return None
    its_log = log(facts, "--since 1h ")
    if words:
        problem = f"PostgreSQL lets nobody in: {words!r}"
        fix = f"wait until {its_log} shows 'ready to accept connections'; if it does not, its last lines say why"
    else:
        since = f" for {lasting(about.now - about.started)}" if about and about.now and about.started else ""
        problem = f"PostgreSQL is in recovery{since}, as a standby is (pg_is_in_recovery): it takes no writes"
        fix = (
            f"if it is to be Lago's primary, promote it ({psql(facts, 'SELECT pg_promote()')}) and remove standby.signal; "
            "if another server is, point DATABASE_URL there"
        )
    return Finding(
        id="database-in-recovery",
        role=DB,
        problem=problem,
        impact="no usage, no invoice and no change is stored; requests that write answer 500",
        fix=fix,
    )


def read_only(facts: Facts) -> Finding | None:
    """Lago's sessions begin read-only."""
    name = "default_transaction_read_only"
    if (server(facts).settings or {}).get(name) != "on":
        return None
    return Finding(
        id="database-read-only",
        role=DB,
        problem=f"{name} is on {set_where(facts, name)}: PostgreSQL refuses every write of Lago",
        impact="no usage, no invoice and no change is stored, while /health and every page that only reads stay green",
        fix=unset(facts, name, "off"),
    )
