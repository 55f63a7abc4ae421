"""Values as a shell script passes them on: known, or known by their shape only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from lago_acceptance.core.value_shapes import shape


@dataclass(frozen=True)
class AbstractValue:
    """A value: its shape in any case, its text where that is known, and where it came from.

    ``one_word``: an expansion of it outside of quotes stays one word.
    """

    shape: str
    literal: str | None = None
    origin: str = ""
    one_word: bool = False

    # Every rule reads the same values again.
    @staticmethod
    @lru_cache(maxsize=4096)
    def of(literal: str, origin: str = "") -> AbstractValue:
        """The value of a text that is known."""
        return AbstractValue(shape(literal), literal, origin, re.search(r"\s", literal) is None)


UNKNOWN = AbstractValue("unknown")

Read = Callable[[str], AbstractValue]
"""Gives the content of a file inside the container."""
