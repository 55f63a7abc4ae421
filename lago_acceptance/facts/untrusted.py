"""What containers and files say may be anything: JSON and numbers as Python values, or None where they are none."""

from __future__ import annotations

import re
from typing import Any

from lago_acceptance.core.documents import parse


def decoded(text: str) -> Any:
    """The value of a JSON text. None where it is something else, nested too deep, or has a number without end."""
    try:
        return parse(text.encode("utf-8", "replace"))
    except ValueError:
        return None


def whole_number(text: str) -> int | None:
    """A number of ASCII digits, as programs print it; None where it is something else, or too long for one."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
