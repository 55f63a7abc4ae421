"""The page: its size, how long it takes to make, and how soon Chromium shows it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench._measuring import DEADLINE, line, machine

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS = 7
SIZE, SHOWN, MADE = 500, 1.0, 0.4
# Processor time, in a process of its own: what a run has loaded by then is loaded before the time is taken, Jinja2 is not.
_MAKE = """
import sys, time, msgspec
from lago_acceptance.reports import summary, verdict
made = msgspec.json.decode(open(sys.argv[1], "rb").read(), type=list[summary.Summary])
past = msgspec.json.decode(open(sys.argv[2], "rb").read(), type=dict[str, list[summary.PastRun]])
started = time.process_time()
from lago_acceptance.page import render
render.html(made, past)
print(time.process_time() - started)
"""
_PAINTED = """new Promise(done => new PerformanceObserver(list => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) done([paint.startTime, performance.getEntriesByType("navigation")[0].loadEventEnd]);
}).observe({type: "paint", buffered: true}))"""


def main(folder: Path) -> None:
    """Prints the numbers of pages of 1, 50 and 200 hosts with ninety runs each."""
    from tests.support import pages

    machine()
    files: dict[int, Path] = {}
    for hosts in (1, 50, 200):
        summaries = pages.many(hosts) if hosts > 1 else [pages.summary()]
        past = pages.history(summaries)
        files[hosts] = folder / f"{hosts}.html"
        files[hosts].write_text(pages.page(summaries), "utf-8")
        size = files[hosts].stat().st_size / 1000
        line(
            f"page of 90 runs, hosts: {hosts}", f"{size:.0f} kB", f"at most {SIZE} kB" if hosts == 50 else ""
        )
        (folder / "summaries.json").write_bytes(msgspec.json.encode(summaries))
        (folder / "past.json").write_bytes(msgspec.json.encode(past))
        command = [sys.executable, "-c", _MAKE, str(folder / "summaries.json"), str(folder / "past.json")]
        taken = [
            float(
                subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
            )
            for _ in range(3 if hosts > 1 else ROUNDS)
        ]
        line(
            f"processor time to make it, with Jinja2's import, hosts: {hosts}",
            f"{statistics.median(taken):.3f} s",
            f"of at most {MADE} s for all reports" if hosts == 1 else "",
        )
    with pages.chromium() as browser:
        for hosts, file in files.items():
            shown, drawn = _shown(browser, file)
            promised = f"at most {SHOWN:g} s" if hosts == 50 else ""
            line(f"loaded and painted in Chromium, hosts: {hosts}", f"{shown:.3f} s", promised)
            line(f"the same with all strips of runs, hosts: {hosts}", f"{drawn:.3f} s")


def _shown(browser: Browser, file: Path) -> tuple[float, float]:
    """Seconds from the navigation to the later of load and first contentful paint, and to the last strip."""
    painted, drawn = [], []
    for _ in range(ROUNDS):
        page = browser.new_page()
        started = time.monotonic()
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-drawn]")
        drawn.append(time.monotonic() - started)
        painted.append(max(page.evaluate(_PAINTED)) / 1000)
        page.close()
    return statistics.median(painted), statistics.median(drawn)
