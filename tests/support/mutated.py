"""Good JSON documents with one thing in them changed, as a hypothesis strategy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

# What may stand anywhere: values of each type, and texts that mean something to some library.
ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**400,
        2**63,
        0.5,
        1e308,
        "",
        "x",
        "NaN",
        "sNaN",
        "1e9999",
        "9" * 400,
        "../..",
        "a\r\nb",
    ]
    + [
        "\x1b[2J::error::",
        "\u202e",
        "ü",
        "http://[",
        [],
        {},
        [None],
        {"x": None},
        [[]],
        "x" * 5000,
        ["x"],
        [{"id": {}}],
    ]
)


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for name, value in inner:
        yield from _places(value, (*path, name))


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """The document with the value at one or two places replaced, or its member removed."""
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(list(_places(document))))
        document = copy.deepcopy(document)
        if not place:
            document = draw(ODD)
            continue
        outer = document
        for name in place[:-1]:
            outer = outer[name]
        if draw(st.booleans()) and isinstance(outer, dict):
            del outer[place[-1]]
        else:
            outer[place[-1]] = draw(ODD)
    return document
