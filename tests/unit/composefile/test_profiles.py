"""What a plain `up` starts follows from COMPOSE_PROFILES in the environment file."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.loader import load

TEXT = """
services:
  always: {image: a}
  cron: {image: a, profiles: [cron, all]}
  off: {image: a, scale: 0}
"""


@pytest.mark.parametrize(
    ("written", "started"),
    [
        ("", {"always"}),
        ("COMPOSE_PROFILES=cron", {"always", "cron"}),
        ('COMPOSE_PROFILES="jobs, all"', {"always", "cron"}),
        ("COMPOSE_PROFILES=*", {"always", "cron"}),
        ("COMPOSE_PROFILES=jobs", {"always"}),
    ],
)
@pytest.mark.parametrize("name", [".env", "deploy.env"])
def test_started_services(written, started, name, tmp_path):
    path = tmp_path / "docker-compose.yml"
    path.write_text(TEXT, "utf-8")
    env_file = tmp_path / name
    env_file.write_text(f"{written}\n", "utf-8")
    model = load(path, None if name == ".env" else env_file).model
    assert {service.name for service in model.services if model.starts(service)} == started
