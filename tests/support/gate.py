"""The gate as people and machines call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lago_acceptance.composefile.loader import load
from lago_acceptance.composefile.sources import Source
from lago_acceptance.core.resources import ROOT
from tests.support.patience import PATIENCE


def gate(tmp_path: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``lago-gate`` as a user would; reports go to tmp_path/reports."""
    program = Path(sys.executable).with_name("lago-gate")
    return _run([program, "--reports", tmp_path / "reports", *arguments], environment)


def gate_by_pytest(
    tmp_path: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The same by ``pytest -m gate``, which takes four times as long."""
    pytest = [sys.executable, "-m", "pytest", "-m", "gate"]
    return _run([*pytest, "--reports", tmp_path / "reports", *arguments], environment)


def _run(command: list[str | Path], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "GITHUB"))
    }
    return subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**inherited, "DOCKER_HOST": "tcp://127.0.0.1:9", **environment},
    )


def load_all(paths: list[Path]) -> list[Source]:
    """Several compose files as the gate reads them; Compose runs for a few of them at a time."""
    with ThreadPoolExecutor(max_workers=(os.cpu_count() or 2) * 2) as pool:
        return list(pool.map(lambda path: load(path, None), paths))


def found(tmp_path: Path) -> list[dict]:
    return json.loads((tmp_path / "reports" / "gate.json").read_text("utf-8"))


CHANGES = {
    "volume-moved": (
        "lago",
        (),
        (
            "lago-db-data:/var/lib/postgresql/data => pg:/var/lib/postgresql/data",
            "lago-db-data: {} => pg: {}",
        ),
    ),
    "secret-key-base-changed": (
        "shared",
        (),
        ("env: SECRET_KEY_BASE=@HEX64@ => SECRET_KEY_BASE=@HEX32@@HEX32@",),
    ),
    "encryption-key-changed": (
        "lago",
        (),
        ("${LAGO_ENCRYPTION_PRIMARY_KEY:?see .env.lago.example} => ${NEW_PRIMARY_KEY:?}",),
    ),
    "rsa-key-changed": ("list", (), ("${LAGO_RSA_PRIVATE_KEY:?base64 of the PEM} => ${LAGO_NEW_RSA_KEY:?}",)),
    "db-password-changed": (
        "list",
        (),
        ("POSTGRES_PASSWORD=${POSTGRES_PASSWORD:?} => POSTGRES_PASSWORD=${NEW_PASSWORD:?}",),
    ),
    "project-renamed": ("lago", (), ("name: lago\\n => name: billing\\n",)),
    "image-goes-back": ("lago", (), ("getlago/front:v1.16.0 => getlago/front:v1.15.0",)),
    "upgrade-skips-a-stop": (
        "lago",
        (),
        (
            "getlago/api:v1.16.0 => getlago/api:v1.26.0",
            "getlago/front:v1.16.0 => getlago/front:v1.26.0",
        ),
    ),
    "seeded-key-changes": (
        "lago",
        ('LAGO_ORG_API_KEY: ${LAGO_API_KEY:?see .env.lago.example} => LAGO_ORG_API_KEY: "true"',),
        (
            'LAGO_ORG_API_KEY: ${LAGO_API_KEY:?see .env.lago.example} => LAGO_ORG_API_KEY: "true"',
            "getlago/api:v1.16.0 => getlago/api:v1.19.1",
        ),
    ),
    "service-gone": ("list", (), ("-clock",)),
    "router-gone": (
        "lago",
        (),
        ("@lago-front Host(`${LAGO_FRONT_HOST:-billing.bizoholic.net}`) => Host(`front.bizoholic.net`)",),
    ),
}
