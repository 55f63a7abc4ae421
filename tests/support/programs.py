"""The programs as a shell starts them, on a runner that lacks something."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.paths import ROOT

SECONDS = 300
BIN = Path(sys.prefix) / "bin"
# Each way in to the gate, over the shipped compose file: accepted.
GATES = {
    "lago-gate": f"{BIN}/lago-gate",
    "lago-acceptance": f"{BIN}/lago-acceptance gate",
    "pytest": f"{sys.executable} -m pytest -m gate",
}
# A compose file that is not accepted.
RED = "services: {api: {image: 'getlago/api:v1.16.0', privileged: true}}\n"


def gate(program: str, file: Path | None = None) -> str:
    """The command by which a program judges a file, or the shipped one."""
    if file is None:
        return GATES[program]
    return f"{GATES[program]} {'--compose-file ' if program == 'pytest' else ''}{file}"


def shell(
    script: str, environment: Mapping[str, str] | None = None, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of bash in the checkout. ``environment`` replaces this process's own, ``changes`` add to it."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "GITHUB"))
    }
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**(inherited if environment is None else environment), **changes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )


def said(ended: subprocess.CompletedProcess[str]) -> str:
    """What a program printed on both streams; no traceback is among it."""
    output = ended.stdout + ended.stderr
    assert "Traceback" not in output and "INTERNALERROR" not in output, output[-3000:]
    return output
