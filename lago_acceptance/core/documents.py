"""JSON that came from elsewhere: parsed strictly, and never nested deeper than this program can walk."""

from __future__ import annotations

from typing import Any

import msgspec

# Far deeper than any answer of Lago's; comparing or printing deeper values exhausts Python's stack.
DEEPEST = 64


def parse(content: bytes | str) -> Any:
    """The JSON document in a text. ValueError in a few words if it is none, or one nested too deeply."""
    try:
        document = msgspec.json.decode(content)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    if _deeper_than(document, DEEPEST):
        raise ValueError(_TOO_DEEP)
    return document


_TOO_DEEP = f"JSON that is nested more than {DEEPEST} levels deep"


def _deeper_than(document: Any, levels: int) -> bool:
    level = [document]
    for _ in range(levels):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
