"""What is being waited for is known while it lasts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lago_acceptance.core.awaited import Board
from lago_acceptance.core.waiting import until


@pytest.fixture
def board(monkeypatch) -> Board:
    made = Board()
    monkeypatch.setattr(Board, "shared", made)
    return made


def test_a_wait_is_shown_from_its_beginning_to_its_end(board):
    seen = []
    board.on_change = lambda: seen.append([dict(wait.states) for wait in board.waits])
    with board.waiting(30, {"api": "created"}) as wait:
        wait.tell({"api": "starting", "db": "created"})
    assert seen == [[{"api": "created"}], [{"api": "starting", "db": "created"}], []]


def test_a_wait_ends_with_what_breaks_it_off(board):
    with pytest.raises(KeyError), board.waiting(30, {"api": "created"}):
        raise KeyError
    assert board.waits == ()


def test_polling_shows_its_name_and_its_deadline(board):
    def look() -> bool:
        [wait] = board.waits
        return (wait.states, wait.seconds) == ({"certificates": "not there yet"}, 20)

    assert until(look, 20, what="certificates") and board.waits == ()


def test_only_the_main_thread_holds_everything_up(board):
    def waits() -> bool:
        with board.waiting(30, {"usage": "not there yet"}) as wait:
            return wait.holds_everything_up

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(waits).result() is False
    assert waits()


def test_work_that_goes_on_elsewhere_is_shown_until_it_gives_its_result(board):
    shown, go_on = threading.Event(), threading.Event()
    board.on_change = lambda: shown.set() if board.waits else None
    with ThreadPoolExecutor(2) as pool:
        work = pool.submit(lambda: go_on.wait(20) and "facts")
        waiting = pool.submit(board.result, work, 30, "host", "being read over ssh")
        assert shown.wait(20) and board.waits[0].states == {"host": "being read over ssh"}
        go_on.set()
        assert waiting.result() == "facts"
    assert board.waits == ()


def test_a_wait_that_misses_nothing_any_more_is_not_shown(board):
    with board.waiting(60, {"lago-api": "starting"}) as mine:
        mine.tell({})
        assert board.waits == ()
        mine.tell({"lago-front": "starting"})
        assert board.waits == (mine,)
