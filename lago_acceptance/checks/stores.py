"""Checks of what Lago's processes find at the URLs of their stores: this deployment's own, and all of them in reach."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, elsewhere
from lago_acceptance.checks.inside import SILENT
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, DB, PDF, REDIS, WORKER
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import Reached
from lago_acceptance.facts.types import Container, Facts

_ASKED = (API, WORKER, CLOCK)
# The variable with each store's URL, and what a process can't do without the store.
_URLS = {DB: "DATABASE_URL", REDIS: "REDIS_URL", PDF: "LAGO_PDF_URL"}
_WITHOUT = {
    DB: "this process fails at everything that needs data",
    REDIS: "this process enqueues and runs no job: no invoices, no webhooks",
    PDF: "invoices get no PDF, and each leaves a dead job",
}
_FIX = (
    "give the store an alias that no other project has, on a network of this project alone (networks: {{lago: {{aliases: "
    "[{service}.internal]}}}}), and use that name in Lago's URLs"
)


@registry.check(
    phase=2,
    errors={
        "store-name-elsewhere": "The names of Lago's stores are this deployment's containers.",
        "store-name-ambiguous": "No other project's container shares the name of one of Lago's stores.",
    },
)
def names_are_the_deployments_own(facts: Facts) -> Iterator[Finding]:
    """In Lago's containers, the hosts of DATABASE_URL, REDIS_URL, LAGO_REDIS_CACHE_URL and LAGO_PDF_URL are containers
    of this deployment.

    On a network that several projects share, another project's container may have the same name. Docker then gives its
    address, and every healthcheck stays green. All addresses of a name count. Names that no container of the deployment
    has are not judged.
    """
    seen = [(each, facts.process(each).addresses) for each in facts.of_role(*_ASKED)]
    if all(addresses is None for _, addresses in seen):
        availability.running(facts, API)
        raise Unknown("the names of the stores could not be looked up in Lago's containers", why=SILENT)
    for asker, found in seen:
        for host, addresses in (found or {}).items():
            stores = [each for each in facts.containers if host in each.names]
            own = {address for each in stores for address in each.addresses.values()}
            owners = {each: facts.owner(each) for each in addresses if each not in own}
            strangers = [each for each in owners.values() if each and each not in facts.containers]
            if stores and strangers:
                yield _named_elsewhere(
                    asker, host, stores[0], strangers[0], shared=bool(own & set(addresses))
                )


def _named_elsewhere(
    asker: Container, host: str, store: Container, stranger: Container, *, shared: bool
) -> Finding:
    whose = f"{stranger.name} of the project {stranger.project}" if stranger.project else stranger.name
    return Finding(
        id="store-name-ambiguous" if shared else "store-name-elsewhere",
        role=asker.role,
        service=asker.service.name,
        problem=f"{host} is {whose} here"
        + (f" as well as {store.name}" if shared else f" instead of {store.name}"),
        impact="what Lago writes there is lost to this deployment and open to the other: jobs nobody runs, invoices "
        "nobody sees",
        fix=_FIX.format(service=store.service.name),
    )


@registry.check(
    phase=2,
    errors={"store-is-another": "Lago's processes work on the PostgreSQL and the Redis of this deployment."},
)
def they_are_this_deployments(facts: Facts) -> Iterator[Finding]:
    """The PostgreSQL and the Redis that answer at Lago's URLs are the ones in this deployment's containers.

    Each server has an identifier of its own: PostgreSQL's system identifier, Redis' run_id. It is read in Lago's
    containers, at the addresses that Lago uses, and inside the store's own container. A name, an address and a password
    may be right and lead to another server all the same.
    """
    for finding in names_are_the_deployments_own(facts):
        raise Blocked(finding.id, "which servers Lago's processes work on")
    judged = False
    for role, own in (
        (DB, facts.database and facts.database.system),
        (REDIS, facts.redis and facts.redis.run_id),
    ):
        for asker, reached in _asked(facts, role):
            store = _store(facts, asker, role)
            if not (own and store and reached.answer):
                continue
            judged = True
            if reached.answer != own:
                yield _is_another(asker, role, store, own, reached.answer)
    if not judged:
        availability.running(facts, API)
        for role in (DB, REDIS):
            elsewhere.must_be_here(facts, role, "nothing says which server is the right one")
        raise Unknown(
            "Lago's processes could not tell which servers they work on",
            why="no process of Lago could read the identifier of its stores",
            fix="run again; a store that runs elsewhere is not compared",
        )


def _asked(facts: Facts, role: str) -> Iterator[tuple[Container, Reached]]:
    for asker in facts.of_role(*_ASKED):
        reached = facts.process(asker).reached.get(_URLS[role])
        if reached is not None:
            yield asker, reached


def _store(facts: Facts, asker: Container, role: str) -> Container | None:
    """The one container of a role, where the asker's URL names it; None where several have the role."""
    url = service_url(asker.service.value(_URLS[role]))
    stores = facts.of_role(role)
    named = len(stores) == 1 and url is not None and url.host in stores[0].names
    return stores[0] if named else None


def _is_another(asker: Container, role: str, store: Container, own: str, seen: str) -> Finding:
    what = "PostgreSQL" if role == DB else "Redis"
    number = "system identifier" if role == DB else "run_id"
    return Finding(
        id="store-is-another",
        role=asker.role,
        service=asker.service.name,
        problem=f"the {what} that answers at its {_URLS[role]} is not the one in {store.name}: its {number} is {seen}, "
        f"and {own} in the container",
        impact="what it writes never reaches this deployment's data: customers, usage and jobs are split between two servers",
        fix=f"find the other server: docker exec {asker.name} getent ahosts {store.service.name}, then docker network inspect "
        "on each of its networks; remove it or its alias there",
    )


@registry.check(
    phase=2,
    errors={"store-not-reached": "Lago's processes reach the database, Redis and the PDF service."},
)
def they_are_reached(facts: Facts) -> Iterator[Finding]:
    """From the container that needs it, each store's name has an address, the port accepts and the server answers.

    The database and Redis are tried from the API, the worker and the clock, the PDF service from the worker. Blocked
    where the store itself is down, which another check reports.
    """
    down: list[Blocked] = []
    for role in _URLS:
        for asker, reached in _asked(facts, role):
            failed = reached.error or (
                role == PDF and reached.answer != "200" and (reached.refused or reached.answer)
            )
            if not failed or not asker.serving(facts.host_clock):
                continue
            if facts.of_role(role) and not facts.running(role):
                down.append(
                    Blocked(availability.why_down(facts, role), f"whether {asker.name} reaches the {role}")
                )
                continue
            yield _not_reached(facts, asker, role, str(failed))
    if down:
        raise down[0]


def _not_reached(facts: Facts, asker: Container, role: str, why: str) -> Finding:
    url = service_url(asker.service.value(_URLS[role]))
    where = f"{url.host}:{url.port}" if url and url.port else url.host if url else _URLS[role]
    load = facts.load_text()
    return Finding(
        id="store-not-reached",
        role=asker.role,
        service=asker.service.name,
        problem=f"{where} of its {_URLS[role]} does not answer there: {why}" + (f"; {load}" if load else ""),
        impact=_WITHOUT[role],
        fix=f"put both on one network, and check the name and the port (docker exec {asker.name} getent hosts "
        f"{url.host if url else 'NAME'}); docker logs --tail 50 of the other side says whether it listens",
    )
