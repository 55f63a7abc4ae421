"""No secret of a deploy is in anything that the gate shows or leaves: accepted, red and crashing, as loud as can be."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import broken_deployments, canaries
from tests.support.canaries import LOUD, contents, secrets_of, seen, watched_commands
from tests.support.gate import gate_by_pytest
from tests.support.patience import PATIENCE


def misplaced(document: dict, folder: Path) -> None:
    """Secrets in other places than their own, as they are and encoded: rules quote them from there."""
    secrets = secrets_of(folder)
    key, salt, api_key = (
        secrets[name] for name in ("SECRET_KEY_BASE", "LAGO_ENCRYPTION_KEY_DERIVATION_SALT", "LAGO_API_KEY")
    )
    pem = (folder / "lago_rsa_private.pem").read_text()
    api, clock, db = (document["services"][f"lago-{name}"] for name in ("api", "clock", "db"))
    api["environment"] |= {
        "RAILS_ENV": base64.b64encode(key.encode()).decode(),
        "LAGO_API_URL": f"http://{quote(salt)}?api_key={api_key}",
        "LAGO_FRONT_URL": f"http://{api_key.encode().hex()}",
        "LAGO_NOTE": pem.splitlines()[3],
    }
    api["labels"]["traefik.http.routers.lago-api.entrypoints"] = salt
    clock["environment"]["RAILS_ENV"] = f"{key[:40]}\n  {key[40:]}"
    db["environment"]["PGDATA"] = f"/{secrets['POSTGRES_PASSWORD']}"
    document["services"]["lago-pdf"]["restart"] = secrets["LAGO_ORG_USER_PASSWORD"]


RUNS = {"accepted": (None, 0), "red": (misplaced, 1), "crashing": (misplaced, 3)}


@pytest.mark.parametrize(
    ("how", "run"),
    [
        ("pytest", "accepted"),
        ("pytest", "red"),
        ("pytest", "crashing"),
        ("lago-gate", "accepted"),
        ("lago-gate", "red"),
    ],
)
def test_no_secret_is_shown_or_left(tmp_path, run, how):
    edit, code = RUNS[run]
    written = broken_deployments.write(tmp_path / "deployment", edit)
    secrets = secrets_of(tmp_path / "deployment")
    # The gate never reads the key's file.
    known = [secret for name, secret in secrets.items() if "line" not in name]
    crash, variables = canaries.crash(tmp_path, known) if run == "crashing" else ([], {})
    # All of them crash alike.
    one = ["-k", "no-clock-service"] if run == "crashing" else []
    with watched_commands() as commands:
        if how == "pytest":
            reports = (
                "--junitxml",
                tmp_path / "reports" / "junit.xml",
                "--alluredir",
                tmp_path / "reports" / "allure",
            )
            ended = gate_by_pytest(
                tmp_path, *written, *crash, *one, *LOUD, *reports, GITHUB_ACTIONS="true", **variables
            )
        else:
            program = Path(sys.executable).with_name("lago-gate")
            command = [program, written[1], *written[2:], "--reports", tmp_path / "reports"]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = ended.stdout + ended.stderr
    assert ended.returncode == code, said[-3000:]
    assert ("error  rails-env-missing" in said) == (run == "red")
    assert ("RuntimeError" in said) == (run == "crashing")
    assert seen(secrets, said) == []
    assert {
        name: found for name, text in contents(tmp_path / "reports") if (found := seen(secrets, text))
    } == {}
    assert [command for command in commands if seen(secrets, command)] == []
