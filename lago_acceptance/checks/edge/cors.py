"""Whether the API's CORS answers allow the front's origin, and no other."""

from __future__ import annotations

from lago_acceptance.checks.edge.http_answers import lago_exchange
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.survey import (
    PublicSurvey,
    foreign_origins,
    front_origin,
    preflight,
)

_ALLOWED = "access-control-allow-origin"


def must_know_the_front(survey: PublicSurvey) -> None:
    """Unknown where the front's URL, whose pages the API has to admit, is not known."""
    if FRONT not in survey.view.urls:
        raise Unknown(
            "whether the API admits the front's pages alone: the front's public URL is not known",
            why="the front's public URL is not known",
            fix="set hosts.front in settings.toml",
        )


@registry.check(phase=3, errors={"cors-front-refused": "The API's CORS answer allows the front's pages."})
def front_is_admitted(survey: PublicSurvey, role: str) -> list[Finding]:
    """The preflight answer allows the front's origin (docs/lago-facts.md, section 3.11)."""
    must_know_the_front(survey)
    origin = front_origin(survey.view)
    exchange = lago_exchange(survey, role, preflight(origin))
    if exchange.headers.get(_ALLOWED) == origin:
        return []
    given = exchange.headers.get(_ALLOWED, "")[:200]
    return [
        Finding(
            id="cors-front-refused",
            role=role,
            place=Place(exchange.url),
            problem=f"the API does not allow pages of {origin}: the preflight answer has "
            f"{f'{_ALLOWED}: {given}' if given else f'no {_ALLOWED}'}",
            impact="the login page loads, and logging in ends with 'An error occurred'",
            fix=f"set LAGO_FRONT_URL={origin} on the api (with the scheme, spelled exactly like that) and recreate it",
        )
    ]


@registry.check(
    phase=3, errors={"cors-foreign-admitted": "The API's CORS answer allows no pages of other sites."}
)
def others_are_not(survey: PublicSurvey, role: str) -> list[Finding]:
    """The preflight answer allows no other origin, not even the front's host on another port."""
    must_know_the_front(survey)
    findings = []
    for origin in foreign_origins(survey.view):
        exchange = lago_exchange(survey, role, preflight(origin))
        if given := exchange.headers.get(_ALLOWED):
            findings.append(
                Finding(
                    id="cors-foreign-admitted",
                    role=role,
                    place=Place(exchange.url),
                    problem=f"the API allows pages of {origin}: the preflight answer has {_ALLOWED}: {given[:200]}",
                    impact="any web page that a logged-in administrator opens may read billing data",
                    fix=words(survey.view.proxy).cors,
                )
            )
    return findings
