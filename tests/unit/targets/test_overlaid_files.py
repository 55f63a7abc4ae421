"""The overlay that a run keeps in its reports: what was changed, without the values of the deploy."""

from __future__ import annotations

import secrets

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core import run as runs
from lago_acceptance.core.secrets import Redactor, Secret
from lago_acceptance.targets.stack.overlaid_files import OverlaidFiles, places_of


def test_a_secret_in_a_label_reaches_the_container_and_no_report(tmp_path):
    file = tmp_path / "compose.yml"
    canary = f"Canary{secrets.token_hex(9)}x9"
    file.write_text(f"services: {{a: {{image: i, labels: {{traefik.password: {canary}}}}}}}")
    run = runs.start(tmp_path / "reports")
    try:
        learned = Secret(canary)
        declared = Project(name="x", files=(file,))
        files = OverlaidFiles(run, {"i": "another"}, {"DOCKER_HOST": "unix:///x.sock"})
        project, started = files.under_test(declared, resolve(declared), {}, places_of(file, run, ()))
        service = started.document["services"]["a"]
        assert learned.reveal() in service["labels"].values() and service["image"] == "another"
        assert project.variables == {"DOCKER_HOST": "unix:///x.sock"}
        reported = (run.reports / "overlay.yml").read_text()
        assert "traefik.password" in reported and not Redactor.shared.leaks(reported)
    finally:
        run.close()
