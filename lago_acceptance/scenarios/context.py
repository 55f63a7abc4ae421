"""What every scenario works with: an organization, names of this run, preconditions and timeouts."""

from __future__ import annotations

from typing import NoReturn

import msgspec

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.run import PREFIX
from lago_acceptance.scenarios.preconditions import Preconditions


class Names(msgspec.Struct, frozen=True):
    """What a scenario calls what it makes: everything begins with the run id."""

    run: str

    @property
    def base(self) -> str:
        """The beginning of every name, and the customer's whole name."""
        return f"{PREFIX}{self.run}"

    @property
    def metric(self) -> str:
        """Code of the billable metric."""
        return f"{self.base}-requests"

    @property
    def plan(self) -> str:
        """Code of the plan."""
        return f"{self.base}-plan"

    @property
    def customer(self) -> str:
        """External id of the customer."""
        return f"{self.base}-customer"

    @property
    def subscription(self) -> str:
        """External id of the subscription."""
        return f"{self.base}-subscription"


class Timeouts(msgspec.Struct, frozen=True):
    """How many seconds a scenario waits for the worker.

    The real Lago took 0.6 s for the invoice, 0.4 s for usage, 2 s for the PDF; its last invoice waits for a
    poller that runs every 5 to 15 s (docs/lago-facts.md, sections 3.11 and 8).
    """

    invoice: float = 20.0
    usage: float = 15.0
    file: float = 30.0
    webhooks: float = 20.0
    last_invoice: float = 45.0


class Context(msgspec.Struct, frozen=True):
    """Where a scenario runs: organization, names, preconditions, and how long it waits."""

    lago: Lago
    names: Names
    preconditions: Preconditions
    timeouts: Timeouts = Timeouts()


def red(id: str, role: str, problem: str, impact: str, fix: str) -> NoReturn:
    """Fail a step with one finding."""
    raise Red(Finding(id=id, role=role, problem=problem, impact=impact, fix=fix))
