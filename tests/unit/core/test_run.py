"""A run's folders: where reports can't be written, they are made where nobody needs them, and the run goes on."""

from __future__ import annotations

from lago_acceptance.core import run


def test_reports_are_where_they_are_wanted(tmp_path):
    started = run.start(tmp_path / "reports")
    assert started.reports == tmp_path / "reports" / started.id and not started.unwritten
    assert (tmp_path / "reports" / "latest").resolve() == started.reports
    started.close()
    assert started.reports.is_dir() and not started.private.exists()


def test_reports_that_can_not_be_written_are_made_in_the_private_folder(tmp_path):
    (tmp_path / "file").touch()
    started = run.start(tmp_path / "file")
    assert started.reports.is_dir() and started.reports.is_relative_to(started.private)
    assert "part of its path is not a folder; choose another folder with --reports" in started.unwritten
    started.close()
    assert not started.reports.exists()


def test_a_link_that_can_not_be_made_is_said(tmp_path):
    (tmp_path / "latest" / "mine").mkdir(parents=True)
    started = run.start(tmp_path)
    assert started.reports == tmp_path / started.id and "a folder is in its place" in started.unwritten
    started.close()
