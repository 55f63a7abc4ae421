"""The time that `lago-acceptance upgrade-path` takes as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench._measuring import DEADLINE, line, machine, seconds
from lago_acceptance.core.resources import ROOT

ROUNDS = 10
PROMISED = 0.3


def main(folder: Path) -> None:
    """Prints the time of the longest way, beside that of Python itself."""
    command = [sys.executable, "-m", "lago_acceptance", "upgrade-path", "v1.16.0", "v1.51.0"]
    # No program can be found: neither Docker nor Compose.
    nothing = {"PATH": str(folder)}

    def run(*words: str) -> None:
        subprocess.run(words, cwd=ROOT, env=nothing, capture_output=True, check=True, timeout=DEADLINE)

    machine()
    python, taken = seconds(lambda: run(sys.executable, "-c", "pass"), lambda: run(*command), rounds=ROUNDS)
    line("python -c pass", f"{python:.3f} s")
    line("lago-acceptance upgrade-path v1.16.0 v1.51.0", f"{taken:.3f} s", f"at most {PROMISED} s")
