"""The ways in which a run can end without a verdict. Each carries one sentence for the person at the terminal."""

from __future__ import annotations


class UsageError(Exception):
    """The options or the files that they name can't be used. The run ends with exit code 4."""


class Unreachable(Exception):
    """The target could not be reached or brought up for a reason on our side. Exit code 6; nothing is said about it."""


class Blocked(Exception):
    """Something can't be judged because of a check that is red.

    ``by`` is the id of that check's finding; the text says what is missing because of it.
    """

    def __init__(self, by: str, missing: str):
        super().__init__(f"not judged: {missing} (because of {by})")
        self.by = by
        self.missing = missing


class Unknown(Exception):
    """Something can't be seen from this vantage point. The text says what, and why."""
