"""One billing cycle in the API and the worker of a rehearsal, in an organization of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core import owner
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Red
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import PDF
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.deploy.inside_connection import InsideConnection
from lago_acceptance.deploy.session import Session
from lago_acceptance.facts.types import Container
from lago_acceptance.hosts.base import Host
from lago_acceptance.scenarios import dedicated_organization
from lago_acceptance.scenarios.billing_cycle import BillingCycle
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.preconditions import Preconditions

# In place of the services that a rehearsal does not run.
_NOT_RUN = "not run in a rehearsal"


class Round(msgspec.Struct, frozen=True):
    """The steps of the cycle that succeeded, in their order, and what is wrong with the others."""

    done: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def billed(host: Host, session: Session, api: Container | None, permit: Permit, run: str) -> Round:
    """Create an organization, bill a customer in it from subscribing to the last invoice, and remove what can be removed."""
    try:
        key = dedicated_organization.key(host, api, permit)
        lago = dedicated_organization.must_be_own(Lago(InsideConnection(session), key))
    except Red as red:
        return Round((), tuple(str(finding) for finding in red.findings))
    except Unknown as reason:
        return Round((), (f"the billing round could not begin: {reason}",))
    mine = Owner(run, "rehearsal", owner.me())
    cycle = BillingCycle(lago, mine, permit, None, Preconditions({PDF: _NOT_RUN})).run()
    lago.connection.close()
    return told(
        {
            "a plan, a metric and a customer": cycle.prepared,
            "a subscription": cycle.subscribed,
            "the first invoice": cycle.first_invoice,
            "usage that grows": cycle.grown,
            "usage that is priced": cycle.charged,
            "termination": cycle.terminated,
            "the last invoice": cycle.last_invoice,
            "removal": cycle.removed,
        }
    )


def told(attempts: dict[str, Attempt[Any]]) -> Round:
    """What the attempts of the steps, by what each is about, have come to."""
    failures = {name: each.failure for name, each in attempts.items() if each.failure}
    found = [
        f"billing after the upgrade: {finding}"
        for each in failures.values()
        if isinstance(each, Red)
        for finding in each.findings
    ]
    # What is blocked follows from another step; alone it would hide that nothing was tried.
    if failures and not found:
        found = [f"billing after the upgrade: {name}: {each}" for name, each in failures.items()]
    return Round(tuple(name for name in attempts if name not in failures), tuple(found))
