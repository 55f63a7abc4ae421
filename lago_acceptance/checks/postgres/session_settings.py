"""What the server, the role or the database does to Lago's sessions. Nothing here needs more than PostgreSQL's answer."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.postgres.remedies import (
    identifier,
    lasting,
    psql,
    server,
    set_where,
    to_default,
    unset,
)
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import DB
from lago_acceptance.facts.types import Facts

# Seconds below which a time-out cuts Lago's ordinary work, and below which it cuts the heavy part: billing runs and usage
# of large customers, calls of payment providers within a transaction. 0 turns each of them off.
_TIME_OUTS = {
    "statement_timeout": (5, 30),
    "transaction_timeout": (5, 60),
    "idle_in_transaction_session_timeout": (5, 30),
    "lock_timeout": (1, 5),
    "idle_session_timeout": (0, 60),
}
_TEMPORARY_KIB = 100 * 1024


def breaking(facts: Facts) -> Iterator[Finding]:
    """What makes Lago's work fail or go wrong."""
    yield from _hidden(facts)
    for name, (breaks, _) in _TIME_OUTS.items():
        if 0 < (seconds := _seconds(facts, name)) < breaks:
            yield _breaks(
                facts,
                name,
                "0",
                f"{name} is {_written(seconds)} {set_where(facts, name)}: PostgreSQL cuts off what takes longer",
                "requests answer 500 and jobs fail or die: usage and invoices are missing",
            )
    yield from _waits_for_a_standby(facts)
    role = _value(facts, "session_replication_role")
    if role not in ("", "origin"):
        yield _breaks(
            facts,
            "session_replication_role",
            "origin",
            f"session_replication_role is {role} {set_where(facts, 'session_replication_role')}: foreign keys are not "
            "enforced",
            "rows are left that belong to nothing, and amounts are counted that no customer has",
        )


def risky(facts: Facts) -> Iterator[Finding]:
    """What makes a part of Lago's work fail under load, or others' work on its data."""
    for name, (breaks, cuts) in _TIME_OUTS.items():
        if breaks <= (seconds := _seconds(facts, name)) < cuts and seconds:
            yield _warns(
                facts,
                name,
                "0",
                f"{name} is {lasting(seconds)}",
                "long billing jobs fail when there is much to bill",
            )
    isolation = _value(facts, "default_transaction_isolation")
    if isolation in ("repeatable read", "serializable"):
        yield _warns(
            facts,
            "default_transaction_isolation",
            "'read committed'",
            f"default_transaction_isolation is {isolation}",
            "jobs that change the same rows fail with serialization errors, which Lago does not expect",
        )
    limit = _value(facts, "temp_file_limit")
    if limit.isdecimal() and int(limit) < _TEMPORARY_KIB:
        impact = "large sorts fail: billing runs and usage of large customers"
        yield _warns(facts, "temp_file_limit", "-1", f"temp_file_limit is {limit} kB", impact)
    style = _value(facts, "DateStyle")
    if style and not style.startswith("ISO"):
        yield _warns(facts, "DateStyle", "ISO", f"DateStyle is {style}", "Lago may read dates wrongly")
    yield from _elsewhere_by_default(facts)


def _hidden(facts: Facts) -> Iterator[Finding]:
    """Lago's tables or their rows can't be seen or changed by its role."""
    found = server(facts)
    about, homes = found.about, found.homes or ()
    if about is None:
        return
    role = identifier(about.role)
    lacking = {name: list(missing) for name, missing in sorted((found.refused or {}).items())}
    locked = [each.schema for each in homes if not each.usable]
    if lacking or (locked and len(locked) == len(homes)):
        schema = identifier(locked[0] if locked else next(iter(about.schemas), "public"))
        tables = ", ".join(f"{', '.join(missing)} on {name}" for name, missing in list(lacking.items())[:3])
        grant = (
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}",
        )
        yield Finding(
            id="database-privilege-missing",
            role=DB,
            problem=f"the role {about.role} lacks {tables or f'USAGE on the schema {schema}'}"
            + (f" and more ({len(lacking)} tables)" if len(lacking) > 3 else ""),
            impact="requests and jobs that need these tables fail: what they should have stored is missing",
            fix=f"give it back: {psql(facts, *grant)}",
        )
    elif homes and not {each.schema for each in homes} & set(about.schemas):
        yield Finding(
            id="database-search-path",
            role=DB,
            problem=f"Lago's tables are in the schema {', '.join(each.schema for each in homes)}, and its sessions look in "
            f"{', '.join(about.schemas) or 'no schema that exists'}",
            impact="Lago finds no table: every request that needs data answers 500, and no job can run",
            fix=f"set POSTGRES_SCHEMA={homes[0].schema} in migrate, api, worker and clock, or take search_path out of "
            "DATABASE_URL",
        )
    if found.filtered:
        owner = f"ALTER ROLE {role} BYPASSRLS"
        yield Finding(
            id="database-rows-hidden",
            role=DB,
            problem=f"row security filters what the role {about.role} sees of {', '.join(found.filtered[:5])}"
            + (
                ", and row_security = off turns its queries into errors"
                if _value(facts, "row_security") == "off"
                else ""
            ),
            impact="rows that a policy leaves out don't exist for Lago: customers, keys or usage are missing from answers "
            "and invoices",
            fix=f"{psql(facts, owner)}, or ALTER TABLE … DISABLE ROW LEVEL SECURITY on each of these tables",
        )


def _waits_for_a_standby(facts: Facts) -> Iterator[Finding]:
    about, names = server(facts).about, _value(facts, "synchronous_standby_names")
    if (
        names
        and about
        and about.standbys == 0
        and _value(facts, "synchronous_commit") not in ("off", "local")
    ):
        yield Finding(
            id="database-setting-breaks-lago",
            role=DB,
            problem=f"synchronous_standby_names is {names}, and no standby is connected: every commit waits for one",
            impact="reads work, and whatever writes hangs without an error: requests end in time-outs, jobs never finish, and "
            "events are not stored",
            fix=f"start the standby, or {to_default(facts, 'synchronous_standby_names')}",
        )


def _elsewhere_by_default(facts: Facts) -> Iterator[Finding]:
    """A search path that Lago replaces by its own, and psql, dumps and poolers do not."""
    found = server(facts)
    homes = {each.schema for each in found.homes or ()}
    path = [each.strip().strip('"') for each in _value(facts, "search_path").split(",")]
    if found.about and "$user" in path:
        path.append(found.about.role)
    if homes and found.place_of("search_path") != "server" and not homes & set(path):
        yield _warns(
            facts,
            "search_path",
            "DEFAULT",
            f"search_path is {', '.join(path) or 'empty'}, without {', '.join(sorted(homes))}",
            "psql and scripts don't see Lago's tables, and through a pooler Lago itself may not",
        )


def _breaks(facts: Facts, name: str, harmless: str, problem: str, impact: str) -> Finding:
    return Finding(
        id="database-setting-breaks-lago",
        role=DB,
        problem=problem,
        impact=impact,
        fix=unset(facts, name, harmless),
    )


def _warns(facts: Facts, name: str, harmless: str, problem: str, impact: str) -> Finding:
    return Finding(
        id="database-setting-risky",
        role=DB,
        problem=f"{problem} {set_where(facts, name)}",
        impact=impact,
        fix=unset(facts, name, harmless),
    )


def _value(facts: Facts, name: str) -> str:
    return (server(facts).settings or {}).get(name, "")


def _seconds(facts: Facts, name: str) -> float:
    """A time-out, which PostgreSQL keeps in milliseconds; 0 where it is off or not known."""
    value = _value(facts, name)
    return int(value) / 1000 if value.isdecimal() and value.isascii() and len(value) < 12 else 0.0


def _written(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
