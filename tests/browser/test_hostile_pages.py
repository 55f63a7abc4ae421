"""Pages that mean harm: they end in time, with a finding, and leave nothing behind."""

from __future__ import annotations

import time

import pytest

from lago_acceptance.checks import web_ui
from lago_acceptance.clients import browser as browsers
from lago_acceptance.core.findings import Red
from lago_acceptance.core.waiting import until
from tests.browser.test_web_ui import WRONG, opened, pytestmark, served  # noqa: F401
from tests.support.patience import PATIENCE


def test_a_script_that_never_ends_is_red(served, monkeypatch):  # noqa: F811
    browser, front = served
    front.submit, front.button = WRONG, ""
    started = time.monotonic()
    with monkeypatch.context() as hasty, pytest.raises(Red) as raised:
        # In which the page must be opened, too.
        hasty.setattr(browsers, "PAGE_SECONDS", 10.0)
        with browser.page("frozen") as (page, faults):
            web_ui.open_login(page, faults)
            page.evaluate("setTimeout(() => { for (;;); }, 0)")
            page.locator("p").count()
    assert raised.value.findings[0].id == "page-hangs"
    assert time.monotonic() - started < PATIENCE
    # And the next page is a page again.
    with browser.page("next") as (page, faults):
        web_ui.open_login(page, faults)


def test_windows_dialogs_and_downloads_are_closed(opened):  # noqa: F811
    page, faults = opened(
        "setTimeout(() => { for (let i = 0; i < 5; i++) window.open('/login?' + i);"
        "alert(1); confirm(2); prompt(3);"
        "Object.assign(document.createElement('a'), {href: '/login', download: 'x'}).click(); }, 800);"
        + WRONG
    )
    web_ui.must_refuse(page, faults)
    # A turn of the page's loop each time, in which events arrive.
    assert until(lambda: page.wait_for_timeout(50) or page.context.pages == [page], PATIENCE)


def test_a_page_that_fails_without_end_is_told_in_few_words(opened):  # noqa: F811
    page, faults = opened(
        "setTimeout(() => { for (let i = 0; i < 300; i++) console.error('x'.repeat(9000)) });" + WRONG
    )
    web_ui.must_refuse(page, faults)
    assert until(lambda: page.wait_for_timeout(50) or len(faults) == browsers.FAULTS, PATIENCE)
    page.wait_for_timeout(200)
    assert len(faults) <= browsers.FAULTS and all(len(each.text) <= browsers.TEXT for each in faults)
    with pytest.raises(Red) as raised:
        web_ui.must_be_quiet(faults)
    assert len(raised.value.findings[0].problem) < 3000
