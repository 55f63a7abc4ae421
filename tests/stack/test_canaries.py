"""No secret of a deployment is in anything that a run shows or leaves, whatever its containers print and its checks do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import broken_deployments, canaries, suite_run
from tests.support.canaries import LOUD, contents, secrets_of, seen, watched_commands

pytestmark = pytest.mark.stack

CRASHING = "test_jobs"
# What a container says last of a secret: as it is, in base64, in hexadecimal, and broken over lines.
SAID = (
    "s=$$LAGO_ENCRYPTION_PRIMARY_KEY; h=$$(printf %s $$s | od -An -tx1 | tr -d ' \\n'); "
    'env; cat /run/lago/rsa_private.pem; echo "{\\"log\\": \\"$$SECRET_KEY_BASE\\"}"; '
    "printf 'boot failed: %s %s %s\\n' $$s $$(printf %s $$s | base64 -w0) $$h"
)
BROKEN = (
    "s=$$LAGO_ENCRYPTION_DETERMINISTIC_KEY; head -c 500 /run/lago/rsa_private.pem | tail -c 100; "
    'printf \'%s\\n     %s %s\\n\' "$${s%????????????}" "$${s#????????????????????}" $$POSTGRES_PASSWORD; exit 1'
)


def talkative(document: dict, folder: Path) -> None:
    """A clock that prints its secrets and ends again and again, and a healthcheck that prints them and fails."""
    clock, worker = (document["services"][f"lago-{role}"] for role in ("clock", "worker"))
    del clock["healthcheck"]
    clock["command"] = ["bash", "-c", f"{SAID}; exit 3", "./scripts/start.clock.sh"]
    worker["healthcheck"] = {"test": ["CMD", "bash", "-c", BROKEN], "interval": "2s", "retries": 1}


def test_no_secret_is_shown_or_left(tmp_path):
    folder = tmp_path / "deployment"
    written = broken_deployments.write(folder, talkative)
    secrets = secrets_of(folder)
    assert len(secrets) > 25
    crash, variables = canaries.crash(tmp_path, secrets.values(), CRASHING)
    with watched_commands() as commands:
        ended = suite_run.run(
            tmp_path / "reports", "-m", "smoke and (phase1 or phase2)", *written, *crash, *LOUD, **variables
        )
    assert ended.code == 1, ended.output[-3000:]
    # All three happened: containers have said their secrets, and a check has crashed with them.
    said = ended.output
    assert "boot failed: <secret>" in said and "its healthcheck says" in said and ended.checks("crashed"), (
        said[-5000:]
    )
    assert seen(secrets, said) == []
    assert {
        name: found for name, text in contents(tmp_path / "reports") if (found := seen(secrets, text))
    } == {}
    assert any("pytest" in command for command in commands)
    assert [command for command in commands if seen(secrets, command)] == []
