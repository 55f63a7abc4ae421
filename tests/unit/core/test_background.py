"""Work in the background: its results, and a process that ends whatever hangs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from lago_acceptance.core.background import Background
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

HANGS = """
import threading
from lago_acceptance.core.background import Background
background = Background()
background.submit(threading.Event().wait)
background.join(0.1)
print("joined")
"""


def test_results_and_exceptions_come_as_futures():
    background = Background()
    assert background.submit(divmod, 7, 2).result(PATIENCE) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        background.submit(divmod, 7, 0).result(PATIENCE)


def test_join_waits_for_all_work():
    background, go, done = Background(), threading.Event(), []
    for number in range(3):
        background.submit(lambda number=number: go.wait(PATIENCE) and done.append(number))
    go.set()
    background.join(PATIENCE)
    assert sorted(done) == [0, 1, 2]


def test_join_gives_up_on_what_hangs():
    background, go = Background(), threading.Event()
    background.submit(go.wait, 2 * PATIENCE)
    started = time.monotonic()
    background.join(0.1)
    assert time.monotonic() - started < PATIENCE
    go.set()


def test_a_process_ends_whatever_hangs():
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0 and ended.stdout == "joined\n", ended.stderr
