"""Dokploy's host as it is: Docker in swarm mode, attachable overlay networks, Traefik as a service of the
swarm."""

from __future__ import annotations

import json
import unittest.mock
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lago_acceptance.checks.edge import traefik_routers
from lago_acceptance.core import owner, run
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.waiting import until
from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.base import Host
from lago_acceptance.hosts.ssh import SshHost
from lago_acceptance.targets.stack import docker_daemon
from tests.support import suite_run
from tests.support.containers import docker
from tests.support.live import lago
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]


@pytest.fixture(scope="module")
def swarm() -> Iterator[None]:
    """This machine's Docker as a swarm of one, for as long as these tests take."""
    if docker("info", "--format", "{{.Swarm.LocalNodeState}}") != "inactive":
        pytest.skip("this Docker is in a swarm already, which is somebody else's")
    if docker("ps", "-q"):
        pytest.skip("leaving a swarm takes their neighbours' names from containers that run, and some do")
    before = docker("network", "ls", "--format", "{{.Name}}").split()
    docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    try:
        yield
    finally:
        docker("swarm", "leave", "--force")
        if "docker_gwbridge" not in before:
            docker("network", "rm", "docker_gwbridge")


def _overlay(name: str, run_id: str, host: Host, permit: Permit, kept: Path | None = None) -> None:
    docker(
        "network",
        "create",
        "--driver",
        "overlay",
        "--attachable",
        "--label",
        f"{run.RUN_LABEL}={run_id}",
        "--label",
        f"{run.OWNER_LABEL}={owner.me()}",
        name,
    )


@pytest.fixture(scope="module")
def host(swarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lago.LiveLago]:
    """A healthy Lago whose networks are overlays, as dokploy-network is."""
    with unittest.mock.patch.object(docker_daemon, "create_network", _overlay):
        up = lago.bring_up(tmp_path_factory.mktemp("swarm"))
    yield up
    lago.take_down(up)


def test_overlay_networks_are_networks(host, tmp_path):
    result = suite_run.run(tmp_path, "-m", "smoke", *host.options)
    assert result.code == 0, result.output
    assert result.red() == set() and not result.checks("blocked")
    assert docker("network", "inspect", "--format", "{{.Driver}}", host.stack.network("proxy")) == "overlay"


@pytest.fixture
def service(host) -> Iterator[str]:
    """Traefik as a service of the swarm, on Lago's network, with the edge's own arguments."""
    edge = json.loads(
        docker(
            "inspect",
            docker(
                "ps",
                "-q",
                "--filter",
                f"label=com.docker.compose.project={host.project}-edge",
                "--filter",
                "label=com.docker.compose.service=traefik",
            ),
        )
    )[0]
    mounts = [
        word
        for mount in edge["Mounts"]
        if mount["Type"] == "bind"
        for word in ("--mount", f"type=bind,source={mount['Source']},target={mount['Destination']},readonly")
    ]
    name = f"{host.project}-traefik"
    # The edge's Traefik asks for Docker's containers here.
    view = ("--alias", "docker-view", host.stack.network("proxy"), f"{host.project}-edge-docker-view-1")
    docker("network", "connect", *view)
    docker(
        "service",
        "create",
        "--detach=false",
        "--quiet",
        "--no-resolve-image",
        "--endpoint-mode",
        "dnsrr",
        "--name",
        name,
        "--network",
        host.stack.network("proxy"),
        *mounts,
        edge["Config"]["Image"],
        *edge["Args"],
    )
    try:
        yield name
    finally:
        docker("service", "rm", name)
        assert until(
            lambda: not docker("ps", "-aq", "--filter", f"label=com.docker.swarm.service.name={name}"),
            PATIENCE,
        )


def test_a_service_of_the_swarm_is_the_proxy(host, service):
    there = SshHost(parse(host.server.url), host.server.ssh_config)
    network = host.stack.network("proxy")

    def told():
        facts = observe(there, project=host.project)
        found = [
            each
            for each in facts.others
            if each.service.labels.get("com.docker.swarm.service.name") == service
        ]
        telling = [each for each in found if (facts.proxies.get(each.id) or {}).get("routers")]
        return (facts, telling[0]) if telling else None

    try:
        assert until(lambda: told() is not None, PATIENCE), "its API does not tell of its routers"
        facts, proxy = told()
    finally:
        there.close()
    assert proxy.role == "proxy" and network in proxy.addresses
    alone = msgspec.structs.replace(facts, proxies={proxy.id: facts.proxies[proxy.id]})
    edge = host.stack.settings.edge
    for role, url in host.stack.public_view().urls.items():
        assert traefik_routers.have_no_errors(alone, role, url) == []
        assert traefik_routers.are_one_each(alone, role, url, edge) == []
        assert traefik_routers.point_to_the_service(alone, role, url, edge) == []
        assert traefik_routers.have_the_resolver(alone, role, url, edge) == []
