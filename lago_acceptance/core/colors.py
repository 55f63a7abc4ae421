"""Colours on a terminal, by its escape codes; NO_COLOR and FORCE_COLOR are respected (no-color.org)."""

from __future__ import annotations

import os
from typing import TextIO

_CODES = {"error": "31;1", "warning": "33;1", "heading": "1", "faint": "2", "good": "32;1"}


def wanted(stream: TextIO) -> bool:
    """Whether what is written to a stream is to be coloured."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def painted(text: str, style: str, on: bool) -> str:
    """The text in a style: error, warning, heading, faint or good."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if on and text else text
