"""Times for readers."""

from __future__ import annotations

import datetime


def minute(at: float) -> str:
    """Unix time to the minute, in UTC."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
