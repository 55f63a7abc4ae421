"""Times for readers."""

from __future__ import annotations

import datetime


def minute(at: float) -> str:
    """Unix time to the minute, in UTC."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def age(seconds: float) -> str:
    """A length of time in one unit, rounded down: 40 s, 12 min, 5 h, 3 days."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < length * most:
            return f"{max(0, int(seconds // length))} {unit}"
    return f"{int(seconds // 86400)} days"


def since(at: float, now: float) -> str:
    """A moment with how long ago it was, for a sentence."""
    return f"{minute(at)} ({age(now - at)} ago)"
