"""One try for several checks. If it fails, the check that it belongs to is red and the others are blocked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from lago_acceptance.core.findings import Red
from lago_acceptance.core.verdicts import Blocked, Unknown

T = TypeVar("T")


class Attempt(Generic[T]):
    """The outcome of a try: a value, or the reason for its absence."""

    def __init__(self, value: T | None = None, failure: Red | Blocked | Unknown | None = None):
        self._value, self.failure = value, failure

    @classmethod
    def of(cls, function: Callable[..., T], *arguments: Any) -> Attempt[T]:
        """Call a function. Exceptions that are no verdict on the deployment pass through."""
        try:
            return cls(function(*arguments))
        except (Red, Blocked, Unknown) as failure:
            return cls(failure=failure)

    def value(self) -> T:
        """The value, for the check that this attempt belongs to; that check is red if the attempt is."""
        if self.failure:
            raise self.failure
        return cast(T, self._value)

    def require(self, missing: str) -> T:
        """The value, for any other check that needs it: Blocked if the attempt is red."""
        if isinstance(self.failure, Red):
            raise Blocked(self.failure.findings[0].id, missing)
        return self.value()

    def block_if_red(self, missing: str) -> None:
        """Blocked if this attempt is red or blocked itself, which explains what is missing."""
        if isinstance(self.failure, Blocked):
            raise Blocked(self.failure.by, missing)
        if isinstance(self.failure, Red):
            self.require(missing)
