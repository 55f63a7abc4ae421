"""The one place that waits: it looks at once, then often, and never beyond a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], deadline: float, first: float = 0.05, slowest: float = 0.5) -> T:
    """Look until the answer is true, or ``deadline`` seconds are over; the last answer, true or not.

    A look that can tell that waiting is pointless ends it by raising: exceptions pass through.
    """
    from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_exponential

    retrying = Retrying(
        retry=retry_if_not_result(bool),
        stop=stop_after_delay(deadline),
        wait=wait_exponential(multiplier=first, exp_base=1.3, min=first, max=slowest),
        retry_error_callback=lambda state: state.outcome.result(),
    )
    return retrying(look)
