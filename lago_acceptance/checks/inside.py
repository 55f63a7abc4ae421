"""What gateway and API must have answered inside their containers: the answer, or why there is no verdict."""

from __future__ import annotations

from typing import Any

from lago_acceptance.clients import shapes
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.inside import InsideAnswer, InsideView

# What scripts/gateway_view.sh prints where nothing in the container speaks HTTP.
NO_CLIENT = "neither curl nor python3 is in this container"
NO_API, NO_KEY = "no API container runs", "no Lago container has LAGO_API_KEY"
SET_KEY = "set LAGO_API_KEY for the API container, as the shipped compose file does"
SILENT = "Lago did not answer inside its container in time"
LIMITED = "the API key in the {}'s container has no permission to read the {} (403): since 1.21 Lago's keys have permissions"


def of_api(view: InsideView, name: str, wanted: str) -> InsideAnswer:
    """Lago's own answer. Unknown where none came in time, or the key has no permission."""
    answer = view.answers.get(name)
    if answer is None:
        raise Unknown(
            f"Lago did not answer a request for its {wanted} inside its container in time",
            why=SILENT,
            fix="run again; if it persists, the API or the host is overloaded",
        )
    if answer.status == 403:
        raise limited("API", wanted)
    return answer


def limited(whose: str, wanted: str) -> Unknown:
    """What is said where a container's API key may not read something."""
    return Unknown(
        LIMITED.format(whose, wanted),
        why=f"the API key in the {whose}'s container lacks a permission (403)",
        fix="give that key read permissions in Lago's web UI, under Developers",
    )


def listed(view: InsideView, name: str, collection: str) -> list[dict[str, Any]]:
    """A list from Lago's own API, asked inside its container. Unknown without a key there, Red for other answers."""
    if name not in view.answers and not view.api:
        raise Unknown(f"{NO_API}, so Lago can't be asked from inside", why=NO_API)
    if name not in view.answers and view.lacks_key("api"):
        raise Unknown(f"{NO_KEY}, so Lago can't be asked from inside", why=NO_KEY, fix=SET_KEY)
    answer = of_api(view, name, collection)
    found = answer.document
    if answer.status != 200 or not isinstance(found, dict):
        raise Red(refusal(f"/api/v1/{collection}", answer))
    entries, meta = found.get(collection), found.get("meta")
    if isinstance(entries, list) and isinstance(meta, dict) and meta.get("next_page"):
        raise Unknown(
            f"Lago has more {collection} than fit in one answer ({len(entries)})",
            why="Lago has more of them than fit in one answer",
        )
    if why := shapes.trouble(entries, shapes.listed(collection)):
        raise Red(refusal(f"/api/v1/{collection}", answer, f" ({collection}: {why})"))
    checked: list[dict[str, Any]] = found[collection]
    return checked


def refusal(path: str, answer: InsideAnswer, why: str = "") -> Finding:
    """The finding for an answer that is not what the container's own key should get.

    ``why`` says what is wrong with it, where its words don't show it.
    """
    unknown_key = answer.status == 401
    return Finding(
        id="api-refuses-its-key" if unknown_key else "api-fails",
        role=API,
        problem=f"{path}, asked inside Lago's container with its own key, {answer.answered}{why}",
        impact="nobody can bill with the configured key",
        fix="seed with both LAGO_ORG_API_KEY and LAGO_API_KEY set (1.16.0 takes the second one's value), or put the "
        "organization's real key (Developers, API keys) into LAGO_API_KEY"
        if unknown_key
        else "read the API's log",
    )


def of_gateway(view: InsideView, name: str) -> InsideAnswer:
    """An answer that the gateway's container was to get from Lago. Unknown where it could not ask."""
    answer = view.answers.get(name)
    if answer is None:
        raise Unknown(
            "nothing could be run inside the gateway's container in time, so it could not ask Lago",
            why="nothing could be run inside the gateway's container in time",
            fix="run again; if it persists, the host is overloaded",
        )
    if NO_CLIENT in answer.text:
        raise Unknown(
            f"{NO_CLIENT}, so Lago can't be asked from there",
            why="neither curl nor python3 is in the gateway's container",
            fix="add curl to the gateway's image",
        )
    return answer
