"""Waiting: polls at once, then often, until a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lago_acceptance.core.awaited import Board

_STATE = "not there yet"
T = TypeVar("T")


def until(
    look: Callable[[], T], deadline: float, first: float = 0.05, slowest: float = 0.5, what: str = ""
) -> T:
    """Call ``look`` until it returns something true or ``deadline`` seconds have passed; returns its last result.

    Exceptions pass through, so ``look`` can end a pointless wait. ``what`` is shown to the user while it lasts.
    """
    if not what:
        return _until(look, deadline, first, slowest)
    with Board.shared.waiting(deadline, {what: _STATE}) as wait:

        def shown() -> T:
            wait.tell(wait.states)
            return look()

        return _until(shown, deadline, first, slowest)


def _until(look: Callable[[], T], deadline: float, first: float, slowest: float) -> T:
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
