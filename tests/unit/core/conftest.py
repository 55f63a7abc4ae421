"""What the tests of tables that Python and awk share have in common."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.support.patience import PATIENCE


@pytest.fixture(params=["awk", "mawk", "gawk", "busybox awk"])
def run_awk(request) -> Callable[..., list[str]]:
    """Runs a program over lines and gives the lines that it prints, once with each awk of the machine."""
    name, *words = request.param.split()
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on this machine")

    def run(program: str, lines: list[str], **variables: str) -> list[str]:
        given = [word for each, value in variables.items() for word in ("-v", f"{each}={value}")]
        ended = subprocess.run(
            [path, *words, *given, program],
            input="".join(f"{line}\n" for line in lines).encode(),
            capture_output=True,
            check=True,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            timeout=PATIENCE,
        )
        assert ended.stderr == b""
        return ended.stdout.decode().splitlines()

    return run
