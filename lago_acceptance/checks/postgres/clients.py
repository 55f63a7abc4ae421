"""Checks of who is connected to Lago's database: this deployment, the gateway, and whom settings.toml names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.checks import availability, clients, elsewhere
from lago_acceptance.checks.postgres.known import hidden, known, server
from lago_acceptance.checks.postgres.remedies import identifier, psql
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.roles import API, CLOCK, DB, LAGO_RUBY, MIGRATE, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.database_server import Client
from lago_acceptance.facts.types import Container, Facts

# Libpq names a client by its program unless that names itself.
_LAGO_PROGRAM = re.compile(r"\b(puma|sidekiq|rails|clockwork|rake)\b", re.IGNORECASE)
# Seconds within which the API and the worker have made their first query.
_SETTLED = 300
_THROUGH_OTHERS = "it sees this host's address, or a pooler's, in the place of those of containers"


@registry.check(
    phase=2,
    errors={"database-client-another-lago": "No process of another Lago works on this database."},
    warnings={
        "database-client-unknown": "Every client of Lago's database belongs to this deployment or is named."
    },
)
def belong_to_the_deployment(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Each session in Lago's database comes from a container of this deployment or from the gateway.

    Others are named in settings.toml (deployment.clients), by address, network, application name or container. Sessions by
    the socket or from 127.0.0.1 are commands within the database's container. An error where the client is a process of
    Lago, by its container or its name.
    """
    elsewhere.must_be_here(facts, DB, _THROUGH_OTHERS)
    seen = [each for each in known(facts, server(facts).clients, "who is connected to it") if each.here]
    found = [
        _stranger(facts, each, facts.owner(each.address or ""))
        for each in seen
        if clients.is_stranger(facts, settings, each.address or "", (each.application,))
    ]
    yield from found
    if not found and any(each.hidden for each in seen):
        raise hidden(facts, "where the sessions of other roles come from")


def _stranger(facts: Facts, client: Client, owner: Container | None) -> Finding:
    is_lago = (owner is not None and owner.role in (*LAGO_RUBY, MIGRATE)) or _LAGO_PROGRAM.search(
        client.application
    )
    where = clients.Stranger(clients.Client(client.address or ""), owner).who
    since = f" since {minute(client.since)}" if client.since else ""
    sessions = "1 session" if client.count == 1 else f"{client.count} sessions"
    whose = f"{sessions} of {client.application or 'a client without a name'} as {client.role} from {where}{since}"
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr = '"
        + (client.address or "")
        + "'"
    )
    if is_lago:
        return Finding(
            id="database-client-another-lago",
            role=DB,
            problem=f"a process of Lago outside this deployment works on its database: {whose}",
            impact="two clocks and two workers bill the same customers, with other keys and maybe another version: invoices "
            "and webhooks come twice, or can't be read",
            fix=(
                f"stop it: docker stop {owner.name}"
                if owner
                else f"stop it there; {psql(facts, cut)} cuts it off"
            )
            + "; then change the password of Lago's role, which it knows",
        )
    return Finding(
        id="database-client-unknown",
        role=DB,
        problem=f"somebody outside this deployment is connected to Lago's database: {whose}",
        impact="it can read or change customers, keys and amounts behind Lago's back, and it holds connections and locks",
        fix="if it belongs there, name it in settings.toml (deployment.clients = "
        f'["{owner.name if owner else client.address}"]); else change the password of {identifier(client.role)} and cut it '
        f"off: {psql(facts, cut)}",
    )


@registry.check(
    phase=2,
    warnings={"database-not-used-by-lago": "Lago's processes are connected to this deployment's database."},
)
def is_used_by_lago(facts: Facts) -> Iterator[Finding]:
    """Of the API and the worker, which have run for five minutes or more, at least one has a session in this database.

    Not judged where a pooler is between them: DATABASE_URL names another host than the database's container.
    """
    elsewhere.must_be_here(facts, DB, _THROUGH_OTHERS)
    seen = known(facts, server(facts).clients, "who is connected to it")
    database = availability.running(facts, DB)
    running = [availability.running(facts, role) for role in (API, WORKER)]
    for each in running:
        url = service_url(each.service.value("DATABASE_URL"))
        if url is None or url.host not in database.names:
            raise Unknown(
                f"the DATABASE_URL of {each.name} does not name {database.name}: a pooler would hold its sessions",
                why="DATABASE_URL does not name the database's container",
            )
    if any(each.hidden for each in seen):
        raise hidden(facts, "where the sessions of other roles come from")
    young = [each for each in running if facts.host_clock - facts.started_at(each) < _SETTLED]
    addresses = {address for each in facts.of_role(API, WORKER, CLOCK) for address in each.addresses.values()}
    here = {each.address for each in seen if each.here}
    if young or not addresses or addresses & here or not all(each.addresses for each in running):
        return
    yield Finding(
        id="database-not-used-by-lago",
        role=DB,
        problem=f"{' and '.join(each.name for each in running)} have run for minutes, and neither has a session in "
        f"{database.name}",
        impact="Lago may work on another database that has this one's name: what is shown, billed and backed up differ",
        fix=f"compare: docker exec {running[0].name} getent hosts {min(database.names)}, and the addresses in docker "
        f"inspect {database.name}",
    )
