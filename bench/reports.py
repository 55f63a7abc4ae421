"""What reporting adds to a run of 200 checks: history, summary.json, junit.xml, Allure's results and the page."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

import msgspec

from bench._measuring import DEADLINE, line, machine

ROUNDS, AT_MOST = 7, 0.4
# In a process of its own, with everything imported that only reports need; each line is a part and its seconds.
_REPORT = """
import sys, time
from pathlib import Path
from lago_acceptance.core.report_files import make_folder
from lago_acceptance.core.secrets import redact
from lago_acceptance.reports.summary import read
summary, folder = read(Path(sys.argv[1])), Path(sys.argv[2])
make_folder(folder / summary.run)
redact("")
began = time.perf_counter()
def part(name):
    global began
    now = time.perf_counter()
    print(name, now - began)
    began = now
from lago_acceptance.reports import junit
junit.write(folder / "junit.xml", summary.checks, summary.host, {})
part("junit.xml")
from lago_acceptance.reports import allure
allure.write(folder / summary.run / "allure", summary)
part("Allure's results")
from lago_acceptance.history.store import History
with History(folder / "history.sqlite3") as history:
    history.standing(summary)
    history.add(summary)
    past = history.runs(summary.key)
part("history")
summary.write(folder / "summary.json")
part("summary.json")
from lago_acceptance.page import render
render.write(folder / "index.html", [summary], {summary.key: past})
part("page")
"""


def main(folder: Path) -> None:
    """Print the seconds of each part, and of all of them, medians of a few rounds."""
    from tests.support import pages

    machine()
    summary = pages.summary()
    (folder / "summary.json").write_bytes(msgspec.json.encode(summary))
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS):
        command = [sys.executable, "-c", _REPORT, str(folder / "summary.json"), str(folder / str(number))]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
        rounds.append(
            {
                name: float(seconds)
                for name, _, seconds in (each.rpartition(" ") for each in said.splitlines())
            }
        )
    for name in rounds[0]:
        line(
            f"{name}, {len(summary.checks)} checks",
            f"{statistics.median(each[name] for each in rounds):.3f} s",
        )
    whole = statistics.median(sum(each.values()) for each in rounds)
    line("all reports of the run", f"{whole:.2f} s", f"at most {AT_MOST} s")
