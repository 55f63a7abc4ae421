"""Check that the names of Lago's stores lead to this deployment's own containers."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.checks.inside import SILENT
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, WORKER
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts

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
    """In Lago's containers, the hosts of DATABASE_URL, REDIS_URL and LAGO_PDF_URL are containers of this deployment.

    On a network that several projects share, another project's container may have the same name. Docker then gives its
    address, and every healthcheck stays green. Names that no container of the deployment has are not judged.
    """
    seen = [(each, facts.process(each).addresses) for each in facts.of_role(API, WORKER, CLOCK)]
    if all(addresses is None for _, addresses in seen):
        availability.running(facts, API)
        raise Unknown("the names of the stores could not be looked up in Lago's containers", why=SILENT)
    owners = {address: each for each in facts.others for address in each.addresses.values()}
    for asker, found in seen:
        for host, addresses in (found or {}).items():
            stores = [each for each in facts.containers if host in each.names]
            own = {address for each in stores for address in each.addresses.values()}
            strangers = [owners[each] for each in addresses if each in owners and each not in own]
            if stores and strangers:
                yield _finding(asker, host, stores[0], strangers[0], shared=bool(own & set(addresses)))


def _finding(asker: Container, host: str, store: Container, stranger: Container, *, shared: bool) -> Finding:
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
