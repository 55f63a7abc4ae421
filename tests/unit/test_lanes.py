"""Tests that share something run in one worker, and one that changes Docker for everybody has it alone."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import filelock
import pytest

from tests.support import lanes, suite_run
from tests.support.docker_turns import DockerTurns
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "turns.lock"


class Worker:
    """A thread with turns of its own."""

    def __init__(self, file: Path, pool: ThreadPoolExecutor):
        self._turns, self._pool = DockerTurns(file), pool
        self.has_turn, self._may_leave = threading.Event(), threading.Event()

    def begin(self, *, alone: bool) -> None:
        self._work = self._pool.submit(self._take, alone)

    def end(self) -> None:
        self._may_leave.set()
        self._work.result(timeout=PATIENCE)

    def _take(self, alone: bool) -> None:
        self._turns.take(alone=alone)
        try:
            self.has_turn.set()
            assert self._may_leave.wait(PATIENCE)
        finally:
            self._turns.leave()


@pytest.fixture
def workers(file: Path) -> Iterator[list[Worker]]:
    with ThreadPoolExecutor(3) as pool:
        made = [Worker(file, pool) for _ in range(3)]
        yield made
        for each in made:
            each._may_leave.set()


def test_turns_beside_each_other_wait_for_nothing(workers):
    for each in workers:
        each.begin(alone=False)
    assert all(each.has_turn.wait(PATIENCE) for each in workers)


def test_nobody_is_beside_one_that_is_alone(workers, file):
    first, alone, later = workers
    first.begin(alone=False)
    assert first.has_turn.wait(PATIENCE)
    alone.begin(alone=True)
    assert not alone.has_turn.wait(0.1)
    first.end()
    assert alone.has_turn.wait(PATIENCE) and _is_refused_at_once(file)
    later.begin(alone=False)
    assert not later.has_turn.wait(0.1)
    alone.end()
    assert later.has_turn.wait(PATIENCE) and not _is_refused_at_once(file)


def test_the_next_test_keeps_a_turn_of_the_same_kind(file):
    turns = DockerTurns(file)
    assert not turns.were_taken
    turns.take(alone=True)
    turns.take(alone=True)
    assert turns.were_taken and _is_refused_at_once(file)
    turns.take(alone=False)
    assert not _is_refused_at_once(file)
    turns.leave()


def _is_refused_at_once(file: Path) -> bool:
    lock = filelock.ReadWriteLock(file, blocking=False, is_singleton=False)
    try:
        with lock.read_lock():
            return False
    except filelock.Timeout:
        return True
    finally:
        lock.close()


@pytest.mark.parametrize(
    ("node_id", "lane"),
    [
        ("live/test_swarm.py::test_a", "alone"),
        ("stack/test_refusals.py::test_a", "alone"),
        ("live/test_faults.py::test_a[b::c]", "stacks"),
        ("stack/test_faults.py::test_a", "stacks"),
        ("live/test_writes.py::test_a", "hosts"),
        ("deploy/test_host.py::test_a", "deploys"),
        ("unit/deploy/test_journal.py::test_a", "unit/deploy/test_journal.py"),
        ("runs/test_selection.py::Some::test_a", "runs/test_selection.py"),
    ],
)
def test_lanes_follow_from_the_folders(node_id, lane):
    assert lanes.lane_of(node_id) == lane
    assert lanes.uses_docker(node_id) is ("unit" not in lane and "runs" not in lane)


def test_every_file_that_a_lane_names_is_there():
    """Renamed, it would silently run in another."""
    named = [begin for begins in lanes._LANES.values() for begin in begins if begin.endswith(".py")]
    assert named and [begin for begin in named if not (ROOT / "tests" / begin).is_file()] == []


def test_the_swarm_begins_before_any_container_runs():
    ids = [
        "unit/test_a.py::a",
        "live/test_a.py::a",
        "stack/test_a.py::a",
        "gate/test_a.py::a",
        "live/test_swarm.py::a",
    ]
    assert [lanes.lane_of(each) for each in sorted(ids, key=lanes.place_of)] == [
        "alone", "gate", "stacks", "hosts", "unit/test_a.py",
    ]  # fmt: skip


# What a made-up test sees of the turns at Docker, from outside of its process's own.
SEES = """
import os, pathlib, filelock, pytest

def free(how):
    lock = filelock.ReadWriteLock(
        pathlib.Path(os.environ["XDG_CACHE_HOME"]) / "lago-acceptance" / "docker-tests.lock",
        blocking=False, is_singleton=False,
    )
    try:
        with getattr(lock, how + "_lock")():
            return True
    except filelock.Timeout:
        return False
    finally:
        lock.close()

def held():
    return "shared" if free("read") and not free("write") else "free" if free("write") else "alone"
"""
SESSION = """
@pytest.fixture(scope="session", autouse=True)
def taken_down_last():
    yield
    assert held() == "shared" or not HAD_DOCKER
"""


def made_up(folder: Path, tests: dict[str, str], had_docker: bool = True) -> Path:
    """A folder of tests by their files."""
    session = SESSION.replace("HAD_DOCKER", str(had_docker))
    for name, body in tests.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SEES + body)
    (folder / "conftest.py").write_text(SEES + session)
    return folder


def outcome(folder: Path, *options: str):
    """How the made-up tests have ended."""
    where = ("-c", str(ROOT / "tests" / "pytest.ini"), "--rootdir", str(folder))
    return suite_run.ended(*where, "-v", *options, str(folder), XDG_CACHE_HOME=str(folder / "cache"))


USES = {
    "live/test_swarm.py": "def test_a(): assert held() == 'alone'\ndef test_b(): assert held() == 'alone'\n",
    "stack/test_refusals.py": "def test_a(): assert held() == 'alone'\n",
    "stack/test_b.py": "def test_a(): assert held() == 'shared'\n",
    "deploy/test_c.py": "def test_a(): assert held() == 'shared'\n",
    "unit/deploy/test_d.py": "def test_a(): assert held() == 'free'\n",
    "unit/test_e.py": "".join(f"def test_{each}(): assert held() == 'free'\n" for each in "abcd"),
}


def test_each_test_has_its_turn_and_the_sessions_fixtures_have_the_last(tmp_path):
    ended = outcome(made_up(tmp_path, USES))
    assert ended.returncode == 0 and "10 passed" in ended.stdout, ended.stdout[-3000:]


def test_tests_without_docker_wait_for_nobody(tmp_path):
    body = "".join(f"def test_{each}(): assert held() == 'alone'\n" for each in "ab")
    folder = made_up(tmp_path, {"unit/test_e.py": body}, had_docker=False)
    cache = folder / "cache" / "lago-acceptance"
    cache.mkdir(parents=True)
    elsewhere = DockerTurns(cache / "docker-tests.lock")
    elsewhere.take(alone=True)
    ended = outcome(folder)
    elsewhere.leave()
    assert ended.returncode == 0 and "2 passed" in ended.stdout, ended.stdout[-3000:]


def test_a_lane_runs_in_one_worker(tmp_path):
    lanes_of_two = (
        "stack/test_a.py",
        "stack/test_b.py",
        "live/test_c.py",
        "standins/test_d.py",
        "unit/test_e.py",
    )
    body = "".join(f"def test_{each}(): pass\n" for each in "abcd")
    folder = made_up(tmp_path, dict.fromkeys(lanes_of_two, body), had_docker=False)
    ended = outcome(folder, "-p", "xdist", "-n", "2")
    assert ended.returncode == 0, ended.stdout[-3000:]
    ran = re.findall(r"\[(gw\d)\].* PASSED (?:\S+/)?(\w+/\w+\.py)::", ended.stdout)
    assert len(ran) == 4 * len(lanes_of_two)
    workers: dict[str, set[str]] = {}
    for worker, file in ran:
        workers.setdefault(lanes.lane_of(f"{file}::"), set()).add(worker)
    assert {lane: len(each) for lane, each in workers.items()} == dict.fromkeys(
        ("stacks", "hosts", "unit/test_e.py"), 1
    )
    assert workers["stacks"] != workers["hosts"]
