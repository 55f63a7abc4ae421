"""Runs that are killed at random moments: whether they end in time with the right exit code, and what is left.

``python -m bench.kills live 60`` and ``python -m bench.kills stack 40`` do a part; a third word is the seed.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench._measuring import line, machine
from tests.support import broken_deployments
from tests.support.kills import KINDS, Machine
from tests.support.live import lago

LIVE, STACK = 60, 40
LIVE_CHECKS = ("-m", "smoke or (phase5 and not browser and not nightly)", "--allow-writes")
STACK_CHECKS = ("-m", "smoke and (phase1 or phase2)")


def main(folder: Path) -> None:
    """Print what was measured of both targets beside what is promised."""
    machine()
    seed = random.randrange(10**6)
    live(folder, LIVE, seed)
    stack(folder, STACK, seed)


def live(folder: Path, count: int, seed: int) -> None:
    """Kill live runs that write: while they start, read, check, bill and clean up."""
    host = lago.bring_up(folder / "host")
    try:
        measure("live", Machine(folder / "live"), [*LIVE_CHECKS, *host.options], count, seed)
    finally:
        lago.take_down(host)


def stack(folder: Path, count: int, seed: int) -> None:
    """Kill stack runs: while they prepare, bring up, check and take down."""
    options = broken_deployments.write(folder / "deployment")
    measure("stack", Machine(folder / "stack"), [*STACK_CHECKS, *options], count, seed)


def measure(name: str, there: Machine, arguments: list[str], count: int, seed: int) -> None:
    """Kill runs at random moments of their life, let one more run end by itself, and look for what is left."""
    chance, wrong, dirty = random.Random(seed), 0, 0
    started = time.monotonic()
    whole = there.strike(arguments, signal.SIGINT, 3600)
    life = time.monotonic() - started
    line(f"{name}: a run that nothing ends, seed {seed}", f"{life:.1f} s", "exit code 0")
    print(f"  exit code {whole.code}", flush=True)
    for _ in range(count):
        before = there.left()
        struck = there.strike(arguments, chance.choice(KINDS), chance.uniform(0, life))
        left = [] if struck.kind == signal.SIGKILL else there.new(before)
        wrong, dirty = wrong + (not struck.is_right), dirty + bool(left)
        print(f"  {struck}{f'; left: {left}' if left else ''}", flush=True)
        if not struck.is_right:
            print(struck.output[-1500:], flush=True)
    last = there.strike(arguments, signal.SIGINT, 3600)
    line(f"{name}: runs that ended late or with a wrong exit code", f"{wrong} of {count}", "0")
    line(f"{name}: interrupted runs that left something", f"{dirty} of {count}", "0")
    line(f"{name}: exit code of the run after them", str(last.code), "0")
    line(f"{name}: left after it", ", ".join(there.new(())) or "nothing", "nothing")


if __name__ == "__main__":
    parts: dict[str, Callable[[Path, int, int], None]] = {"live": live, "stack": stack}
    part, number, *given = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="kills-", dir="/tmp") as place:
        parts[part](Path(place), int(number), int(given[0]) if given else random.randrange(10**6))
