"""Waiting for a receiver that may never answer, and never for longer than its deadline."""

from __future__ import annotations

from concurrent.futures import Future

from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact

_LONGEST = 300


def failure(sending: Future[str], seconds: float, deadline: float) -> str:
    """Why something was not sent, without secrets; "" where it was.

    ``sending`` runs in the background and gives the reason itself where it knows it; ``seconds`` are left of its ``deadline``.
    """
    try:
        return sending.result(max(0.0, seconds))
    except TimeoutError:
        return f"no answer within {deadline:g} seconds"
    # Whatever a client of a hundred services may raise: a receiver that fails is a warning and no more.
    except Exception as error:  # noqa: BLE001
        return redact(one_line(str(error) or type(error).__name__))[:_LONGEST]
