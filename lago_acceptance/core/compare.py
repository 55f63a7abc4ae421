"""Comparison of JSON values."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. Numbers may be strings, with any number of digits."""
    try:
        return one == other or Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False
