"""Paths of requests, from ids and codes that may come from anywhere: each stays one segment of the path."""

from __future__ import annotations

from urllib.parse import quote

from lago_acceptance.clients.answers import IDS, REFUSED
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API

# Servers and proxies take them for the way up, encoded as well.
_UP = ("", ".", "..")
LONGEST = 255


def path_of(*segments: str) -> str:
    """The path of these segments, each percent-encoded. Red for one that can't be an id."""
    return "/".join(map(_segment, segments))


def _segment(text: str) -> str:
    if text in _UP or len(text) > LONGEST or not text.isprintable():
        raise Red(
            Finding(
                id=IDS[API, REFUSED],
                role=API,
                problem=f"{text!r:.100} is not an id that can be part of a Lago URL",
                impact="the object it names can't be read, changed or removed through the API",
                fix="look it up in the web UI and in Lago's database; Lago itself creates no such ids",
            )
        )
    return quote(text, safe="")
