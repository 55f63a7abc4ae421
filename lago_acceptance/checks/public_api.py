"""Lago's API as its clients meet it: it answers by its public name, accepts its key, and refuses all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from lago_acceptance.checks import availability, inside
from lago_acceptance.checks.edge.http_answers import in_the_way
from lago_acceptance.clients.answers import ApiAnswer, NotAnswered
from lago_acceptance.core import registry
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideView
from lago_acceptance.facts.types import Facts
from lago_acceptance.probes.survey import PublicSurvey

T = TypeVar("T")
_UNAUTHORIZED = {"status": 401, "error": "Unauthorized"}


def reached(attempt: Attempt[T], role: str, survey: Callable[[], PublicSurvey]) -> Attempt[T]:
    """An attempt to reach a service by its public name; Blocked where a check of phase 3 already says why it failed.

    The survey is made only where it failed.
    """
    if isinstance(attempt.failure, NotAnswered) and (id := in_the_way(survey(), role)):
        return Attempt(failure=Blocked(id, f"the {role} by its public name"))
    return attempt


def organization_answers_to_its_key(view: InsideView, facts: Facts) -> Iterator[Finding]:
    """Asked inside its container with its own key, the API gives the organization."""
    availability.running(facts, API)
    if view.lacks_key("api"):
        raise Unknown(
            f"{inside.NO_KEY}, so the organization can't be read from inside",
            why=inside.NO_KEY,
            fix=inside.SET_KEY,
        )
    answer = inside.of_api(view, "api-organization", "organization")
    document = answer.document
    organization = document.get("organization") if isinstance(document, dict) else None
    if answer.status != 200 or not isinstance(organization, dict) or not organization.get("lago_id"):
        yield inside.refusal("/api/v1/organizations", answer)


@registry.check(phase=5, errors={"api-open": "The API refuses requests without a valid key."})
def refuses(how: str, answer: ApiAnswer) -> Iterator[Finding]:
    """The API answers a request without a valid key with Lago's own 401."""
    if answer.status != 401 or answer.body != _UNAUTHORIZED:
        yield Finding(
            id="api-open",
            role=API,
            problem=f"{how}, a request for the organization is answered with {answer.said}",
            impact="strangers can read and change billing, or something other than Lago is answering",
            fix="check what the proxy adds to requests, and which service it routes this name to",
        )
