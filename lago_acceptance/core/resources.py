"""Where the project's own files are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose"
TESTBED = ROOT / "testbed"
SHIPPED_COMPOSE_FILE = COMPOSE / "docker-compose.lago.yml"
