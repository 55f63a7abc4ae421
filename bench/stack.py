"""From nothing to a verdict, beside a bare ``docker compose up --wait`` of the same file on the same images."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench._measuring import DEADLINE, line, machine, note_failure
from lago_acceptance.core import run as runs
from lago_acceptance.core import settings
from lago_acceptance.core.options import Options
from lago_acceptance.hosts.base import WriteCommand
from lago_acceptance.targets.stack import docker_daemon
from lago_acceptance.targets.stack.stack import Stack
from tests.support import broken_deployments, suite_run

ROUNDS = 3
ALLOWANCE = 8.0


def bare(folder: Path) -> float:
    """Seconds of ``docker compose up --wait`` from nothing, on networks that are there."""
    options = Options(reports=folder)
    run = runs.start(folder)
    stack = Stack(options, settings.load(options.settings), run)
    try:
        stack.prepare()
        stack.make_networks()
        project = stack.project
        change = WriteCommand(
            "docker compose up",
            tuple(project.arguments("up", "--detach", "--wait")),
            project.environment(),
            deadline=DEADLINE,
        )
        started = time.monotonic()
        outcome = stack.host.change(change, stack.permit)
        taken = time.monotonic() - started
        if outcome.code:
            raise SystemExit(f"docker compose up --wait failed: {outcome.output[-500:]}")
        return taken
    finally:
        docker_daemon.remove(run.id, stack.host, stack.permit)
        run.close()


def suite(folder: Path, *options: str) -> suite_run.Result:
    """One run of the suite, as a whole process."""
    marks = "smoke and (phase1 or phase2 or phase3)"
    result = suite_run.run(folder, "-m", marks, "--deadline", str(DEADLINE), *options)
    if result.code not in (0, 1):
        raise SystemExit(f"the deployment was not judged (exit code {result.code}):\n{result.output[-3000:]}")
    return result


def main(folder: Path) -> None:
    """Print each promised number beside what was measured."""
    machine()
    suite(folder)
    ups, whole, checks = [], [], []
    for _ in range(ROUNDS):
        ups.append(bare(folder))
        result = suite(folder)
        note_failure("a run of the shipped deployment", result.code, result.output)
        timings = result.summary["timings"]
        whole.append(result.seconds - timings["down"])
        checks.append(result.seconds - timings["prepare"] - timings["up"] - timings["down"])
    bare_median, whole_median = statistics.median(ups), statistics.median(whole)
    ratio = (whole_median - ALLOWANCE) / bare_median
    line("bare docker compose up --wait", f"{bare_median:.1f} s")
    line("from nothing to verdict", f"{whole_median:.1f} s")
    line("the same less 8 s, against bare", f"{ratio:.2f}", "at most 1.3")
    line(
        "once the stack is up (start of pytest included)",
        f"{statistics.median(checks):.1f} s",
    )
    broken = suite(
        folder, *broken_deployments.write(folder / "deployment", broken_deployments.key_by_path_variable)
    )
    line(
        "a key that Lago can't load, red after up began",
        f"{broken.seconds - broken.summary['timings']['prepare'] - broken.summary['timings']['down']:.1f} s",
    )
