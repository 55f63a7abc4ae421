"""A value that a script computes: its text where it is known, else its shape."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from lago_acceptance.core.value_shapes import shape


@dataclass(frozen=True)
class AbstractValue:
    """A value: its literal where it is known, and its shape (see values) in any case."""

    shape: str
    literal: str | None = None
    origin: str = ""
    one_word: bool = False

    # The same values are read for rule after rule.
    @staticmethod
    @lru_cache(maxsize=4096)
    def of(literal: str, origin: str = "") -> AbstractValue:
        return AbstractValue(shape(literal), literal, origin, re.search(r"\s", literal) is None)


UNKNOWN = AbstractValue("unknown")


Read = Callable[[str], AbstractValue]


def encoded(text: AbstractValue) -> AbstractValue:
    """The value after base64."""
    if text.literal is not None:
        return replace(AbstractValue.of(base64.b64encode(text.literal.encode()).decode()), origin=text.origin)
    return AbstractValue(
        {
            "pem": "base64",
            "base64": "base64-twice",
            "der": "base64-twice",
            "pem-mangled": "base64-mangled",
            "pem-public": "base64-public",
        }.get(text.shape, "unknown"),
        None,
        text.origin,
        True,
    )


def decoded(text: AbstractValue) -> AbstractValue:
    """The value after base64 -d: of something that isn't known, the PEM that one expects there."""
    if text.literal:
        try:
            plain = base64.b64decode(re.sub(r"[^A-Za-z0-9+/]", "", text.literal) + "==", validate=False)
            return replace(AbstractValue.of(plain.decode("utf-8", "replace")), origin="decoded")
        except binascii.Error:
            return AbstractValue("plain", None, "decoded")
    shapes = {
        "base64": "pem",
        "empty": "pem",
        "base64-twice": "base64",
        "base64-mangled": "pem-mangled",
        "unknown": "pem",
    }
    return AbstractValue(shapes.get(text.shape, "plain"), None, "decoded")
