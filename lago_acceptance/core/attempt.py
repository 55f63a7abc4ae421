"""Something that was tried once for several checks: the check that it belongs to is red, the others are blocked by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from lago_acceptance.core.findings import Red
from lago_acceptance.core.verdicts import Blocked, Unknown

T = TypeVar("T")


class Attempt(Generic[T]):
    """What came of a try: its value, or why there is none."""

    def __init__(self, value: T | None = None, failure: Red | Blocked | Unknown | None = None):
        self._value, self.failure = value, failure

    @classmethod
    def of(cls, function: Callable[..., T], *arguments: Any) -> Attempt[T]:
        """Try a function. What is no verdict on the deployment passes through."""
        try:
            return cls(function(*arguments))
        except (Red, Blocked, Unknown) as failure:
            return cls(failure=failure)

    def value(self) -> T:
        """The value, for the check that this attempt belongs to: it is red where the attempt is."""
        if self.failure:
            raise self.failure
        return cast(T, self._value)

    def require(self, missing: str) -> T:
        """The value, for a check that needs it: Blocked where another check says why there is none."""
        if isinstance(self.failure, Red):
            raise Blocked(self.failure.findings[0].id, missing)
        return self.value()

    def block_if_red(self, missing: str) -> None:
        """Blocked where this attempt is red and so explains what is missing; nothing otherwise."""
        if isinstance(self.failure, Red):
            self.require(missing)
