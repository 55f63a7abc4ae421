"""The ways in which a run or a check can end without a verdict. The text of each is one sentence for the user."""

from __future__ import annotations


class UsageError(Exception):
    """The options, or the files that they name, can't be used. The run ends with exit code 4."""


class Unreachable(Exception):
    """The target could not be reached or started, for a reason on this side. Exit code 6: no verdict on the target."""


class Blocked(Exception):
    """Something can't be judged because another check is red.

    ``by`` is the id of that check's finding, ``missing`` what can't be judged.
    """

    def __init__(self, by: str, missing: str):
        super().__init__(f"not judged: {missing} (because of {by})")
        self.by = by
        self.missing = missing


class Unknown(Exception):
    """Something can't be seen from this vantage point. The text is what, and why.

    ``why`` is the reason alone, by which the report groups such checks ("" for the whole text); ``fix`` is what makes it
    visible, where the user can do something about it.
    """

    def __init__(self, text: str, *, why: str = "", fix: str = ""):
        super().__init__(text)
        self.why = why or text
        self.fix = fix
