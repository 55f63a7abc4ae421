"""Healthy deployments on a machine with one busy loop per processor: how many runs are green, live and as a stack."""

from __future__ import annotations

import os
from pathlib import Path

from bench._measuring import line, machine
from tests.support import suite_run
from tests.support.live import busy, lago

LIVE = int(os.environ.get("LIVE_RUNS", "20"))
STACK = int(os.environ.get("STACK_RUNS", "10"))


def main(folder: Path) -> None:
    """All runs must be green: each that is not is printed with its findings."""
    machine()
    up = lago.bring_up(folder / "host")
    try:
        with busy.machine():
            _count(
                "live",
                [
                    suite_run.run(folder / f"live-{number}", "-m", "smoke", *up.options)
                    for number in range(LIVE)
                ],
            )
    finally:
        lago.take_down(up)
    with busy.machine():
        _count("stack", [suite_run.run(folder / f"stack-{number}", "-m", "smoke") for number in range(STACK)])


def _count(target: str, runs: list[suite_run.Result]) -> None:
    green = [each for each in runs if each.code == 0]
    took = sorted(each.seconds for each in runs)
    middle = took[len(took) // 2] if took else 0
    line(f"{target} runs that are green under load", f"{len(green)} of {len(runs)}", f"median {middle:.1f} s")
    for number, each in enumerate(runs):
        if each.code:
            print(
                f"  {target} run {number}: exit code {each.code}, red: {', '.join(sorted(each.red())) or '-'}"
            )
            print("    " + "\n    ".join(each.output.splitlines()[-30:]))
