"""Waiting: polls at once, then often, until a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], deadline: float, first: float = 0.05, slowest: float = 0.5) -> T:
    """Call ``look`` until it returns something true or ``deadline`` seconds have passed; returns its last result.

    Exceptions pass through, so ``look`` can end a pointless wait.
    """
    from tenacity import RetryCallState, Retrying, retry_if_not_result, stop_after_delay, wait_exponential

    def last_answer(state: RetryCallState) -> T:
        assert state.outcome is not None
        answer: T = state.outcome.result()
        return answer

    retrying = Retrying(
        retry=retry_if_not_result(bool),
        stop=stop_after_delay(deadline),
        wait=wait_exponential(multiplier=first, exp_base=1.3, min=first, max=slowest),
        retry_error_callback=last_answer,
    )
    return retrying(look)
