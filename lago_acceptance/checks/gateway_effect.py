"""Whether what the gateway does is Lago's: its plans decide, for its variables may be read by nothing.

A gateway may have Lago's URL and key in its source. So a variable that is wrong is an error only where the plans are not
Lago's either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec

from lago_acceptance.checks import api_inside, availability
from lago_acceptance.checks.gateway_inside import finds_lago, gateway_finding, key_is_accepted
from lago_acceptance.checks.gateway_words import Document
from lago_acceptance.checks.gateway_words import shown as word
from lago_acceptance.core import registry
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, errors_among
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideView
from lago_acceptance.facts.types import Facts

OWN_PLANS = "gateway-plans-are-its-own"
FAILS = "gateway-fails"
# Judged by the address and the key in its variables.
BY_VARIABLES = frozenset(
    (
        "gateway-cannot-resolve-lago",
        "lago-not-reached-by-gateway",
        "lago-name-elsewhere",
        "gateway-key-refused",
        "gateway-not-answered-by-lago",
        "gateway-key-of-another-organization",
    )
)


class Listed(msgspec.Struct, frozen=True):
    """The plans that the gateway listed, and those that it listed when it was asked once more, alone (None: it was not)."""

    first: list[Document]
    again: list[Document] | None = None


class Effect(msgspec.Struct, frozen=True):
    """What the gateway's plans show. ``lagos``: they are Lago's (None: not known). ``cause`` is the id of the finding that
    says why they are not, "" where they are.
    """

    lagos: bool | None = None
    cause: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """Why Lago can't serve the gateway: the id of the finding that says so, and what it is in words."""

    id: str
    words: str


def are_lagos(shown: list[Document], held: list[Document]) -> bool | None:
    """Whether plans that are shown are Lago's, by its ids. None where either has none."""
    if not shown or not held:
        return None
    return bool({word(plan, "id") for plan in shown} & {plan["lago_id"] for plan in held})


def listed(ask: Callable[[], list[Document]], first: list[Document], held: list[Document]) -> Listed:
    """What the gateway lists. Where it is not Lago's it is asked once more: Lago may have been slow for a moment."""
    if are_lagos(first, held) is not False:
        return Listed(first)
    again = Attempt.of(ask)
    return Listed(first, None if again.failure else again.value())


def effect(shown: Listed, held: list[Document]) -> bool | None:
    """Whether the gateway lists Lago's plans, at one of two times."""
    return True if are_lagos(shown.again or [], held) else are_lagos(shown.first, held)


def lagos_trouble(facts: Facts, settings: Settings) -> Trouble | None:
    """Why Lago itself can't serve any client, None where it can: the gateway's findings follow from it."""
    try:
        availability.running(facts, API, "Lago's API is not running")
        for finding in api_inside.is_healthy_and_of_the_expected_version(facts, settings):
            if finding.id == "api-unhealthy":
                return Trouble(finding.id, "Lago's API is unhealthy")
        for finding in api_inside.accepts_its_own_key(facts, settings):
            return Trouble(finding.id, "Lago does not answer its own key")
    except Blocked as blocked:
        return Trouble(blocked.by, blocked.missing)
    except Unknown:
        return None
    return None


def cause(view: InsideView, network: str, lagos: bool | None, trouble: Trouble | None) -> str:
    """The id of the finding that says why the gateway's plans are not Lago's, "" where they are or it is not known."""
    if lagos is not False:
        return ""
    if trouble:
        return trouble.id
    for findings in (finds_lago(view, network), key_is_accepted(view)):
        with suppress(Blocked, Unknown):
            if errors := errors_among(list(findings)):
                return errors[0].id
    return OWN_PLANS


def explained(
    findings: Iterable[Finding], trouble: Trouble | None, missing: str, meanwhile: str = ""
) -> Iterator[Finding]:
    """The findings. Blocked instead where Lago's own trouble explains them; ``meanwhile`` is what the gateway does then."""
    try:
        found = list(findings)
    except Blocked as blocked:
        if trouble:
            raise Blocked(trouble.id, f"{missing}: {trouble.words}{meanwhile}") from blocked
        raise
    if trouble and errors_among(found):
        raise Blocked(trouble.id, f"{missing}: {trouble.words}{meanwhile}")
    yield from found


@registry.check(
    phase=4, warnings={"gateway-variables-unused": "The gateway uses the URL and the key of its variables."}
)
def by_effect(findings: Iterable[Finding], lagos: bool | None) -> Iterator[Finding]:
    """A wrong variable is a warning where the gateway's plans are Lago's all the same: it uses another key or URL."""
    try:
        found = list(findings)
    except Blocked as blocked:
        if lagos and blocked.by in BY_VARIABLES:
            raise Unknown(
                f"{blocked.missing}: the gateway uses another URL than its variables say, for its plans are Lago's",
                why="the gateway uses another URL than its variables say",
                fix="correct LAGO_API_URL of the gateway, or remove it",
            ) from blocked
        raise
    for finding in found:
        if lagos and finding.id in BY_VARIABLES:
            yield gateway_finding(
                "gateway-variables-unused",
                f"it uses another key or URL than its variables say, for its plans are Lago's: {finding.problem}",
                "whoever changes LAGO_API_URL or LAGO_API_KEY believes that the gateway follows, and it does not",
                "correct or remove the variable, or have the gateway read it instead of what its source holds",
            )
        else:
            yield finding
