"""Questions about a model that many rules ask: each is answered once, for models don't change."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def once(question: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """A function of a Model or a Service, and of others, that keeps its answers with the first of them.

    Each answer is shared by all who ask: none of them may change it. What it is asked of counts by identity.
    """

    @wraps(question)
    def answered(*of: Asked.args, **named: Asked.kwargs) -> Answer:
        assert not named, "asked by position, so that one question has one spelling"
        answers: dict[Any, tuple[object, Answer]] = of[0].__dict__
        key = (question, *map(id, of[1:]))
        if key not in answers:
            # With what it was asked of: an identity is another's as soon as its owner is gone.
            answers[key] = (of[1:], question(*of, **named))
        return answers[key][1]

    return answered
