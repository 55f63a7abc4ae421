"""What is being waited for at the moment, so that whoever sits in front of it sees that something goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from threading import RLock, current_thread, main_thread
from typing import ClassVar, TypeVar

T = TypeVar("T")
_LOOK_SECONDS = 1.0


class Wait:
    """One wait: ``states`` has a word for each thing that is not there yet, ``seconds`` is the deadline.

    ``holds_everything_up``: the whole run waits for it.
    """

    def __init__(self, board: Board, seconds: float, states: Mapping[str, str]):
        self._board = board
        self.began, self.seconds = time.monotonic(), seconds
        self.states = dict(states)
        # Otherwise something else goes on in front of the user.
        self.holds_everything_up = current_thread() is main_thread()

    @property
    def age(self) -> float:
        """How many seconds it has lasted."""
        return time.monotonic() - self.began

    def tell(self, states: Mapping[str, str]) -> None:
        """What is still missing now, with the state of each."""
        self.states = dict(states)
        self._board.changed()


class Board:
    """All waits that are going on. ``on_change`` is called, by whoever waits, when one begins, goes on or ends."""

    shared: ClassVar[Board]

    def __init__(self) -> None:
        self._lock = RLock()
        self._waits: list[Wait] = []
        self.on_change: Callable[[], None] | None = None

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The waits that still miss something, the oldest first."""
        with self._lock:
            return tuple(each for each in self._waits if each.states)

    def changed(self) -> None:
        """Show what is being waited for."""
        if self.on_change:
            self.on_change()

    @contextmanager
    def waiting(self, seconds: float, states: Mapping[str, str]) -> Iterator[Wait]:
        """Show a wait until the block ends. Call the wait's ``tell`` at each look."""
        mine = Wait(self, seconds, states)
        with self._lock:
            self._waits.append(mine)
        try:
            self.changed()
            yield mine
        finally:
            with self._lock:
                self._waits.remove(mine)
            self.changed()

    def result(self, future: Future[T], seconds: float, name: str, state: str) -> T:
        """The result of work that is going on, which ends by a deadline of its own after about ``seconds``."""
        if not future.done():
            with self.waiting(seconds, {name: state}) as mine:
                while not wait((future,), _LOOK_SECONDS).done:
                    mine.tell({name: state})
        return future.result()


Board.shared = Board()
