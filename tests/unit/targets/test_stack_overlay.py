"""The overlay that a run keeps in its reports: what was changed, without the values of the deploy."""

from __future__ import annotations

import secrets

import pytest

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core import run as runs
from lago_acceptance.core import settings
from lago_acceptance.core.options import Options
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.targets.stack.stack import Stack


@pytest.fixture
def stack(tmp_path):
    """A stack whose file has a secret in a label."""
    file = tmp_path / "compose.yml"
    canary = f"Canary{secrets.token_hex(9)}x9"
    file.write_text(f"services: {{a: {{image: i, labels: {{traefik.password: {canary}}}}}}}")
    (tmp_path / ".env").write_text("")
    options = Options(reports=tmp_path / "reports", compose_files=(file,))
    run = runs.start(options.reports)
    yield Stack(options, settings.load(options.settings), run), canary
    run.close()


def test_a_secret_in_a_label_reaches_the_container_and_no_report(stack):
    stack, canary = stack
    written = stack._written
    project: Project = stack._overlaid("overlay.yml", written.project, written.resolved, stack._places)
    assert canary in resolve(project).document["services"]["a"]["labels"].values()
    reported = (stack.run.reports / "overlay.yml").read_text()
    assert "traefik.password" in reported and not Redactor.shared.leaks(reported)
