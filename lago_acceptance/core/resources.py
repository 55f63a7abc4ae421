"""Where the project's own files are: at the top of a checkout, or below ``lago_acceptance/_bundle`` where it is installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = (PACKAGE / "_bundle").is_dir()
ROOT = PACKAGE / "_bundle" if INSTALLED else PACKAGE.parent
COMPOSE = ROOT / "compose"
TESTBED = ROOT / "testbed"
SUITES = ROOT / "suites"
SHIPPED_COMPOSE_FILE = COMPOSE / "docker-compose.lago.yml"
SETTINGS = ROOT / "settings.toml"
PYTEST_INI = ROOT / "pytest.ini"
# Where reports go unless --reports names a folder: into a checkout, else into the folder that a run is started in.
REPORTS = Path("reports") if INSTALLED else ROOT / "reports"
