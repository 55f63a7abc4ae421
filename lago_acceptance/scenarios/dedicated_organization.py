"""The organization that a live run writes into: used by this suite only, beside production's, one for all runs.

Lago deletes neither organizations nor finalized invoices (docs/lago-facts.md, section 8), so there is one for all runs,
found by its name. Its key is derived inside the API container from Lago's own SECRET_KEY_BASE: each run gets the same
one, and it is stored nowhere.
"""

from __future__ import annotations

import re
from importlib.resources import files

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container
from lago_acceptance.hosts.base import Host, WriteCommand

NAME = "Lago acceptance checks, no customers"
EMAIL = "lago-acceptance@example.test"
# The real Lago took 3.5 s; a busy host takes longer.
SECONDS = 60


def script() -> str:
    """What runs in the API container, with the organization's name and address as arguments."""
    return (files("lago_acceptance.scenarios") / "seed_organization.sh").read_text("utf-8")


def key(host: Host, api: Container | None, permit: Permit) -> Secret:
    """The key of the organization, which is made if it is not there yet. Unknown where Lago does not make it."""
    if api is None:
        raise Unknown(
            "nothing is written: no API container runs, which is needed to create an organization for this suite",
            why="no API container runs",
        )
    arguments = ("docker", "exec", api.id, "sh", "-c", script(), "sh", NAME, EMAIL)
    outcome = host.change(
        WriteCommand("creating the suite's own organization", arguments, deadline=SECONDS), permit
    )
    found = re.search(r"^key ((?:[0-9a-f-]{6}[.]){6})$", outcome.output, re.MULTILINE)
    if outcome.code or not found:
        lines = [line.strip() for line in outcome.output.splitlines() if line.strip()]
        said = outcome.stopped or (redact(lines[-1])[:200] if lines else f"exit code {outcome.code}")
        raise Unknown(
            f"nothing is written: Lago could not create the suite's own organization: {said}",
            why="Lago could not create the suite's own organization",
            fix="read what it said, in summary.json, and the API's log",
        )
    return Secret(found[1].replace(".", ""))


def must_be_own(lago: Lago) -> Lago:
    """The same client, if its key belongs to this organization. Otherwise Unknown, and nothing is written."""
    if (name := lago.organization()["name"]) != NAME:
        raise Unknown(
            f"nothing is written: the key that was created for this run belongs to the organization {name!r}",
            why="the key that was created for this run belongs to another organization",
        )
    return lago


def remains(lago: Lago) -> str:
    """A sentence about what stays of a run, because Lago can't delete it."""
    counted = Attempt.of(lago.count, "invoices")
    invoices = "the" if counted.failure else str(counted.value())
    return (
        f"stays in Lago, which can't delete it: the organization {NAME!r} with its user {EMAIL}, its key, "
        f"and {invoices} finalized invoices of all runs with their files; the catalogue stays seeded there"
    )
