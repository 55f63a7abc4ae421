"""What a stack run refuses because of this machine: images that can't be had, and a Docker that is in use."""

from __future__ import annotations

import subprocess

import pytest

from lago_acceptance.images import resolve
from tests.support.suite_run import assert_refused

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def test_images_upstream_without_a_registry(suite):
    result = suite("-m", "smoke", "--images", "upstream")
    if result.code in (0, 1):
        pytest.skip("upstream's images can be had on this machine")
    assert_refused(result, 6, "can't be pulled", "--images upstream")


def test_another_lago_or_traefik_on_the_daemon_is_refused(suite):
    for name in ("traefik", "lago-api"):
        foreign = f"somebody-elses/{name}:v1"
        subprocess.run(["docker", "tag", resolve.stand_in(name), foreign], check=True)
        command = ["docker", "run", "--rm", "--detach", "--entrypoint", "sleep", foreign, "60"]
        container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        try:
            assert_refused(suite("-m", "smoke"), 6, foreign, "route customers into the test stack")
        finally:
            subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)
            subprocess.run(["docker", "rmi", foreign], capture_output=True, check=False)
