"""Routes of a gateway as a settings file writes them: ``POST /v1/subscriptions plan_code={plan} customer={tenant}``."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

WORDS = ("plan", "tenant", "subscription")
"""What may be in braces: the code of a plan, the customer's and the subscription's external_id in Lago."""

_ROUTE = re.compile(r"(GET|POST|PUT|PATCH) (/[^\s?#]*)(?:\?([^\s?#]+))?((?: [A-Za-z_][\w.-]*=\S+)*)")
_WORD = re.compile(r"\{([^{}]*)\}")


class Route(msgspec.Struct, frozen=True):
    """One route: ``fields`` go into the query of a GET, else into a JSON body; ``query`` is what any method has there.

    ``path`` and values may have ``WORDS`` in braces.
    """

    method: str
    path: str
    fields: dict[str, str] = {}
    query: dict[str, str] = {}


def route(text: str) -> Route | None:
    """The route that a text describes, None where it is none."""
    found = _ROUTE.fullmatch(text)
    if found is None or not set(_WORD.findall(text)) <= set(WORDS):
        return None
    return Route(found[1], found[2], _pairs(found[4].split()), _pairs((found[3] or "").split("&")))


def _pairs(words: Iterable[str]) -> dict[str, str]:
    pairs = (each.partition("=") for each in words if each)
    return {name: value for name, _, value in pairs}
