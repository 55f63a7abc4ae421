"""Whether two values of JSON mean the same."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON mean the same: numbers may be texts, and be written with more digits."""
    try:
        return one == other or Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False
