"""What an operator may ask of a deploy."""

from __future__ import annotations

import msgspec

DRAIN_SECONDS = 300
UP_SECONDS = 300


class Wishes(msgspec.Struct, frozen=True):
    """What an operator may ask of a deploy. ``pull``: missing, or always; ``despite``: ids of errors that are accepted.

    Times in seconds.
    """

    pull: str = "missing"
    despite: frozenset[str] = frozenset()
    drain_seconds: int = DRAIN_SECONDS
    up_seconds: int = UP_SECONDS
