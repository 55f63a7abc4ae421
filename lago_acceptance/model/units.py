"""Durations and sizes as Compose and Docker write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def seconds(text: str | float | None) -> float | None:
    """Compose's duration ("1m30s", or Docker's nanoseconds) in seconds."""
    if text is None or text == "":
        return None
    if isinstance(text, int | float):
        return text / 1e9
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def size_in_bytes(text: str | int | None) -> int | None:
    """Compose's size ("1g", or bytes) in bytes; None where there is no limit."""
    if not text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(text).strip().lower())
    return int(float(found[1]) * _UNITS.get(found[2], 1)) if found else None
