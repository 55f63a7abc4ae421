"""What a plan reads on a host: a file that the deploy leaves as it is, is part of the new version."""

from __future__ import annotations

from pathlib import Path

from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.deploy import plan
from lago_acceptance.deploy.version import NewVersion
from lago_acceptance.hosts.local import LocalHost


def test_files_that_are_left_as_they_are_belong_to_the_new_version(tmp_path: Path):
    deployment = load(SETTINGS).deployment
    (tmp_path / deployment.env_file).write_text("IMAGE=postgres:14-alpine\n")
    (tmp_path / deployment.compose_file).write_text(
        "name: practice\nservices:\n  lago-db:\n    image: ${IMAGE:?}\n"
    )
    found = plan.read(LocalHost(), NewVersion(tmp_path, {}), deployment, str(tmp_path), "")
    assert found.document["services"]["lago-db"]["image"] == "postgres:14-alpine"
    assert set(found.old) == {deployment.env_file, deployment.compose_file}
