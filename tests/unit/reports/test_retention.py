"""Old runs' folders go, and nothing else does."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from lago_acceptance.core import private_folders
from lago_acceptance.core.run import PREFIX
from lago_acceptance.reports import retention
from lago_acceptance.reports.retention import GOING_SECONDS, prune

IDS = [f"202611{day:02}-120000-abcdef" for day in range(1, 11)]


@pytest.fixture
def reports(tmp_path) -> Path:
    """Ten runs that have ended, and a link to the last."""
    for id in IDS:
        (tmp_path / id / "allure").mkdir(parents=True)
        (tmp_path / id / "summary.json").write_text("{}")
    (tmp_path / "latest").symlink_to(IDS[-1])
    return tmp_path


def left(reports: Path) -> list[str]:
    return sorted(each.name for each in reports.iterdir() if each.name[:4] == "2026")


def test_the_newest_are_kept(reports):
    prune(reports, 3, IDS[-1])
    assert left(reports) == IDS[-3:]
    assert (reports / "latest").is_symlink()
    assert not list(reports.glob(".removed-*"))


def test_the_current_run_is_kept_even_where_the_clock_was_set_back(reports):
    prune(reports, 2, IDS[0])
    assert left(reports) == [IDS[0], IDS[-1]]
    prune(reports, 0, IDS[0])
    assert left(reports) == [IDS[0]]


def test_what_is_not_a_runs_folder_stays(reports, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("precious", "summary.json"):
        (elsewhere / name).write_text("x")
    for name in ("state", "root@billing", "20261101-120000-ABCDEF", "20261101-120000-abcdef.old"):
        (reports / name).mkdir()
        (reports / name / "summary.json").write_text("{}")
    (reports / "20261101-130000-abcdef").symlink_to(elsewhere)
    (reports / IDS[0] / "out").symlink_to(elsewhere)
    (reports / "20261101-140000-abcdef").write_text("a file")
    before = set(os.listdir(reports))
    prune(reports, 1, IDS[-1])
    assert before - set(os.listdir(reports)) == set(IDS[:-1])
    assert (elsewhere / "precious").read_text() == "x"


def test_a_run_that_is_still_going_stays(reports):
    going, killed = IDS[0], IDS[1]
    for id in (going, killed):
        (reports / id / "summary.json").unlink()
    old = time.time() - GOING_SECONDS - 60
    os.utime(reports / killed, (old, old))
    prune(reports, 1, IDS[-1])
    assert left(reports) == [going, IDS[-1]]


def test_the_reports_of_a_kept_stack_stay(reports, tmp_path, monkeypatch):
    monkeypatch.setattr(private_folders.tempfile, "gettempdir", lambda: str(tmp_path / "private"))
    (tmp_path / "private").mkdir()
    folder = private_folders.make(PREFIX)
    private_folders.keep(folder, IDS[2])
    prune(reports, 1, IDS[-1])
    assert left(reports) == [IDS[2], IDS[-1]]
    private_folders.remove_kept(PREFIX, IDS[2])
    prune(reports, 1, IDS[-1])
    assert left(reports) == [IDS[-1]]


def test_what_a_killed_process_was_removing_is_removed(reports):
    remains = reports / f".removed-{IDS[0]}-0123abcd"
    remains.mkdir()
    other = reports / ".removed-by-hand"
    other.mkdir()
    prune(reports, 100, IDS[-1])
    assert not remains.exists() and other.exists() and left(reports) == IDS


def test_two_at_once(reports):
    """Each is in the middle of its work when the other begins."""
    meet = threading.Barrier(2, timeout=10)
    real = retention._remove
    failures: list[BaseException] = []

    def remove(folder: Path, name: str) -> None:
        meet.wait()
        real(folder, name)

    def run() -> None:
        try:
            prune(reports, 2, IDS[-1])
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    retention._remove = remove
    try:
        threads = [threading.Thread(target=run) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(20)
    finally:
        retention._remove = real
    assert failures == [] and left(reports) == IDS[-2:]
    assert not list(reports.glob(".removed-*"))


def test_a_folder_that_is_gone_is_no_error(tmp_path):
    prune(tmp_path / "gone", 3, IDS[0])
