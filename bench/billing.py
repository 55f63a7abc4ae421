"""Phases 4 to 6 on a stack that is up, beside the time that bringing it up takes; and the browser alone."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench._measuring import DEADLINE, line, machine, note_failure
from tests.support import suite_run

ROUNDS = 3
WITHOUT_BROWSER = "(phase4 or phase5 or phase6) and not browser and not nightly"


def once_up(folder: Path, marks: str) -> float:
    """Seconds of a run, start of pytest included, less those of preparing, bringing up and taking down."""
    result = suite_run.run(folder, "-m", marks, "--deadline", str(DEADLINE))
    if result.code not in (0, 1):
        raise SystemExit(f"the deployment was not judged (exit code {result.code}):\n{result.output[-3000:]}")
    note_failure("a run of the shipped deployment", result.code, result.output)
    timings = result.summary["timings"]
    slowest = sorted(result.summary["checks"], key=lambda check: check["seconds"], reverse=True)[:5]
    for check in slowest:
        print(f"    {check['seconds']:6.2f} s  {check['name'].rpartition('::')[2]}")
    return result.seconds - timings["prepare"] - timings["up"] - timings["down"]


def main(folder: Path) -> None:
    """Print the seconds of both, with those of each round."""
    machine()
    for what, marks in (
        ("phases 4 to 6 once the stack is up, no browser", WITHOUT_BROWSER),
        ("the browser's checks once the stack is up", "browser"),
    ):
        taken = [once_up(folder, marks) for _ in range(ROUNDS)]
        spread = ", ".join(f"{each:.1f}" for each in taken)
        line(what, f"{statistics.median(taken):.1f} s", f"({spread})")
