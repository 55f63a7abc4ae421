"""How a run ends, as its exit code (README.md)."""

from __future__ import annotations

ACCEPTED, NOT_ACCEPTED, INTERRUPTED, INTERNAL_ERROR, USAGE, NOTHING_CHECKED, UNREACHABLE = range(7)
