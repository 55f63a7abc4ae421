"""What of the database explains that requests to Lago fail or hang: one cause, which others are blocked by."""

from __future__ import annotations

from lago_acceptance.checks.postgres import locks, refusals, session_settings
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Facts


def causes(facts: Facts) -> list[Finding]:
    """The red findings of the database that keep Lago's requests and jobs from being answered, the plainest first."""
    refuses = [refusals.out_of_connections(facts), refusals.in_recovery(facts)]
    cuts_off = [*locks.held(facts), *session_settings.breaking(facts)]
    return [each for each in (*refuses, *cuts_off, refusals.read_only(facts)) if each is not None]


def database_trouble(facts: Facts) -> str:
    """The id of the finding that explains that requests to the API fail or hang; "" if there is none."""
    return next((each.id for each in causes(facts)), "")


def must_be_without(facts: Facts, missing: str) -> None:
    """Blocked where the database's own trouble explains that something is missing."""
    if trouble := database_trouble(facts):
        raise Blocked(trouble, missing)
