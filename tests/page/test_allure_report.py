"""Allure's own program builds its report of what runs have left, and a browser shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lago_acceptance.cli import report
from lago_acceptance.core.exit_codes import ACCEPTED
from lago_acceptance.core.report_files import make_folder
from lago_acceptance.reports import allure
from tests.support import pages
from tests.support.patience import PATIENCE


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports of two runs of one host, with Allure's report of the newer one, which failed."""
    folder = tmp_path_factory.mktemp("reports")
    for number, faulty in enumerate((False, True)):
        summary = pages.summary(faulty=faulty, number=number, run=f"2026112{number}-021300-abcdef")
        make_folder(folder / summary.run)
        assert allure.write(folder / summary.run / "allure", summary) == []
        summary.write(folder / summary.run / "summary.json")
    assert report.main(["--reports", str(folder)]) == ACCEPTED
    return folder


def test_the_report_shows_the_phases_and_what_failed_and_asks_nobody(reports):
    summary = pages.summary(number=1)
    failed = next(check for check in summary.checks if check.outcome == "failed")
    with pages.chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        refused: list[str | None] = []
        page.on("requestfailed", lambda request: refused.append(request.failure))
        answered: list[str] = []
        page.on("response", lambda response: answered.append(response.url))
        address = (reports / report.REPORT).as_uri()
        page.goto(address)
        name = allure.title(failed.name.rpartition("::")[2], "")
        expect(page.get_by_text(name).first).to_be_visible(timeout=PATIENCE * 1000)
        assert [each for each in answered if not each.startswith(("data:", "blob:", address))] == []
        # Google's script; a browser without internet would call that a failure of the network.
        assert set(refused) <= {"csp"}


def test_the_run_before_is_remembered(reports):
    assert len((reports / report.HISTORY).read_text("utf-8").splitlines()) == 2
