"""Times for readers."""

from __future__ import annotations

import datetime


def minute(at: float) -> str:
    """Unix time to the minute, in UTC."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: float) -> str:
    """A time span in its two largest units: ``45 s``, ``12 min``, ``3 hours 12 min``, ``2 days 5 hours``."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes} min"
    if days < 2:
        return _two(f"{hours} hour{'s' if hours > 1 else ''}", f"{minutes % 60} min")
    return _two(f"{days} days", f"{hours % 24} hour{'s' if hours % 24 > 1 else ''}")


def since(at: float, now: float) -> str:
    """Since when and for how long, both Unix time: ``since 2026-11-24 10:00 UTC (3 hours 12 min)``."""
    return f"since {minute(at)} ({duration(now - at)})"


def _two(larger: str, smaller: str) -> str:
    return larger if smaller.startswith("0 ") else f"{larger} {smaller}"


def moment(at: float, now: float) -> str:
    """A moment with how long ago it was, both Unix time: ``2026-11-24 10:00 UTC (3 hours 12 min ago)``."""
    return f"{minute(at)} ({duration(now - at)} ago)"
