"""The line of a log that tells most about an end."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What is printed all the time, whether all is well or not.
_NOISE = re.compile(
    r"heartbeat|\bDEBUG\b|\"(?:level|severity)\":\s*\"debug\"|GET \"?/health|/env-config\.js|\bkube-probe\b|^\s*$",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(?:FATAL|PANIC|ERROR|CRITICAL|ERR|OOM|NOAUTH|MISCONF|panic|fatal|emerg)\b|[A-Za-z:]*(?:Error|Exception)\b|\berror\b"
    r"|\bkilled\b|\bdenied\b|\brefused\b|\bfailed\b|\bcannot\b|\bcan't\b|could not|not found|no such",
)
# Seconds: an error of long before an end did not cause it.
_NEAR = 600


def telling_line(lines: Sequence[tuple[float, str]], end: float) -> tuple[float, str] | None:
    """The last line that speaks of trouble, from the ten minutes before ``end`` (Unix time); else the last that is no noise.

    ``lines`` come with their times. None where there is nothing but noise.
    """
    telling = [(at, text.strip()) for at, text in lines if not _NOISE.search(text)]
    trouble = (each for each in reversed(telling) if each[0] >= end - _NEAR and _TROUBLE.search(each[1]))
    return next(trouble, telling[-1] if telling else None)
