"""The start of the browser. Apart from other tests of it: a process can use Playwright only once at a time."""

from __future__ import annotations

import pytest

from lago_acceptance.clients import browser as browsers
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.public_endpoints import PublicEndpoints


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("exit 1", "Target page, context or browser has been closed"),
        ("exec sleep 600", "Timeout 2000ms exceeded"),
    ],
    ids=["that ends", "that hangs"],
)
def test_a_browser_that_does_not_start_says_nothing_about_the_deployment(program, why, tmp_path, monkeypatch):
    browser = tmp_path / "chromium"
    browser.write_text(f"#!/bin/sh\n{program}\n")
    browser.chmod(0o755)
    monkeypatch.setattr(browsers, "executable", lambda: str(browser))
    monkeypatch.setattr(browsers, "START_SECONDS", 2.0)
    view = PublicEndpoints(urls={}, resolvers=(), origin=None)
    with pytest.raises(
        Unknown, match=f"the browser can't be started here: BrowserType.launch: {why}; try: /"
    ):
        browsers.Browser(view, tmp_path / "private", tmp_path / "reports")
