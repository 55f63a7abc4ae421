"""What a stack run refuses because of this machine: images that can't be had, and a Docker that is in use."""

from __future__ import annotations

import subprocess

import pytest

from lago_acceptance.images import resolve
from tests.support.containers import docker
from tests.support.suite_run import assert_refused

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def test_images_upstream_without_a_registry(suite):
    result = suite("-m", "smoke", "--images", "upstream")
    if result.code in (0, 1):
        pytest.skip("upstream's images can be had on this machine")
    assert_refused(result, 6, "can't be pulled", "--images upstream")


def refused_beside(suite, *arguments: str, words: tuple[str, ...]) -> None:
    """Assert that no stack is started beside a container."""
    container = docker("run", "--rm", "--detach", *arguments)
    try:
        assert_refused(suite("-m", "smoke"), 6, *words)
    finally:
        docker("rm", "--force", container)


def test_a_traefik_of_another_name_is_refused(suite):
    """Its image and its labels say nothing; one label looks like rows of what is read of the daemon."""
    foreign = "somebody-elses/edge:1"
    forged = 'a\nnetwork {"name":"x","labels":{}}\tunanswered\nendpoint tcp://192.0.2.1\n'
    docker("tag", resolve.stand_in("traefik"), foreign)
    try:
        refused_beside(
            suite, "--label", f"forged={forged}", foreign, "traefik", "--providers.docker=true",
            words=(foreign, "runs Traefik"),
        )  # fmt: skip
        socket = "/var/run/docker.sock:/var/run/docker.sock:ro"
        refused_beside(
            suite, "--volume", socket, "--network", "host", "--entrypoint", "sleep", resolve.stand_in("python"), "60",
            words=("watches Docker",),
        )  # fmt: skip
    finally:
        docker("rmi", foreign)


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
