"""Checks of PostgreSQL: Lago can log in, and the data are on a volume."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.checks import availability, database_trouble, elsewhere
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import DB
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.late import MARK
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago import log_causes


@registry.check(
    phase=2, errors={"database-refuses-lago": "PostgreSQL accepts a login with Lago's own DATABASE_URL."}
)
def lets_lago_in(facts: Facts) -> Iterator[Finding]:
    """A login inside the database's container with the DATABASE_URL of Lago's processes works.

    Blocked where PostgreSQL itself says that it has no connection left, or that it recovers.
    """
    availability.must_be_asked(facts, DB, facts.database_error)
    if facts.database is None:
        database_trouble.must_be_without(facts, "PostgreSQL lets nobody in at the moment")
        known = log_causes.cause_of([facts.database_error], log_causes.OTHER_CAUSES)
        yield Finding(
            id="database-refuses-lago",
            role=DB,
            problem=f"a login with Lago's own DATABASE_URL fails: {facts.database_error or 'no answer'}",
            impact="every request that needs data answers 500, and no job can run",
            fix=_hangs(facts)
            if MARK in facts.database_error
            else known[0].fix
            if known
            else "make DATABASE_URL name this service, its database, its user and its password",
        )


def _hangs(facts: Facts) -> str:
    if DB in facts.elsewhere:
        return f"see what keeps it busy, at {elsewhere.host(facts, DB)}"
    name = getattr(facts.running(DB), "name", "NAME")
    return (
        f"see what keeps it busy: docker top {name} -eo pid,stat,etime,args, docker logs --tail 50 {name}, and the host's disk "
        f"and memory (df -h, free -m); docker restart {name} ends what hangs"
    )


# Its id is that of the rule for the same defect in a compose file (rules/storage.py).
def data_are_on_a_volume(facts: Facts) -> Iterator[Finding]:
    """The directory that PostgreSQL itself calls its data directory is on a named volume or a folder of the host."""
    elsewhere.must_be_here(facts, DB, "who runs it keeps its data")
    directory = availability.database(facts).directory
    container = facts.running(DB)
    if container is None or not directory:
        raise Unknown("PostgreSQL did not report its data directory", fix="run again")
    mount = container.service.mount_at(directory)
    anonymous = mount is not None and mount.kind == "volume" and re.fullmatch(r"[0-9a-f]{64}", mount.source)
    if mount is None or anonymous:
        yield Finding(
            id="pgdata-not-on-volume",
            role=DB,
            service=container.service.name,
            problem=f"PostgreSQL keeps its data in {directory}, "
            + ("which is an anonymous volume" if anonymous else "and no volume is mounted there"),
            impact="after the next recreate the container comes up green with an empty database",
            fix="take a dump first; then mount the named volume at /var/lib/postgresql/data, or set PGDATA to "
            "where it is mounted",
        )
