"""Checks of the front as it answers inside its own container."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts


@registry.check(phase=2, errors={"front-api-url": "The front sends browsers to the API's public URL."})
def uses_the_apis_public_url(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """/env-config.js of the front sets API_URL to the API's public URL.

    With another value the login page loads, but nobody can log in.
    """
    front = availability.running(facts, FRONT)
    answer = facts.fronts.get(front.id, "")
    if not answer.strip():
        raise Unknown(
            "the front's container has neither curl nor wget, so it can't be queried from inside",
            why="the front's container has neither curl nor wget",
        )
    found = re.search(r'window\.API_URL\s*=\s*"([^"]*)"', answer)
    wanted = str(settings.browser_api or "")
    if not wanted:
        raise Unknown(
            "where browsers reach the API: nothing in the deployment says it",
            why="no public URL of the API is known",
        )
    if found and found[1].rstrip("/") == wanted:
        return
    yield Finding(
        id="front-api-url",
        role=FRONT,
        service=front.service.name,
        problem=f"its API_URL is {found[1]!r:.200}, not {wanted!r}"
        if found
        else "its /env-config.js is not the JavaScript that sets API_URL",
        impact="the login page loads, but nobody can log in: the browser calls the wrong address",
        fix=f"set API_URL={wanted} on the front and recreate it; its entrypoint ignores `command:`",
    )
