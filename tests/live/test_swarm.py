"""Dokploy's host as it is: Docker in swarm mode, attachable overlay networks, Traefik as a service of the
swarm."""

from __future__ import annotations

import json
import secrets
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
from lago_acceptance.images import resolve
from lago_acceptance.targets.stack import docker_daemon
from tests.support import suite_run
from tests.support.containers import docker
from tests.support.live import lago, sshd
from tests.support.patience import PATIENCE
from tests.support.standin.boot import key_values

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


STACK = ("db", "redis", "migrate", "api", "worker", "clock")


@pytest.fixture
def stack(swarm, tmp_path) -> Iterator[str]:
    """Lago as a stack of Swarm's, with two replicas of its API and a worker that was started twice."""
    name, image = f"selftest{secrets.token_hex(3)}", "selftest/lago-api:v1.16.0"
    docker("tag", resolve.stand_in("lago-api"), image)
    file = tmp_path / "stack.json"
    file.write_text(json.dumps(_stack(image)))
    try:
        words = ("--detach=true", "--resolve-image", "never", "-c", str(file), name)
        docker("stack", "deploy", *words)
        each = (
            f"label=com.docker.stack.namespace={name}",
            f"label=com.docker.swarm.service.name={name}_worker",
        )
        shown = [word for one in each for word in ("--filter", one)]
        assert until(lambda: docker("ps", "-q", *shown), PATIENCE), "no task of the worker runs"
        docker(
            "service",
            "update",
            "--force",
            "--quiet",
            "--detach=false",
            "--no-resolve-image",
            f"{name}_worker",
        )
        yield name
    finally:
        docker("stack", "rm", name)
        of_stack = ("-aq", "--filter", f"label=com.docker.stack.namespace={name}")
        assert until(lambda: not docker("ps", *of_stack), PATIENCE), "its containers stay"
        assert until(lambda: f"{name}_default" not in docker("network", "ls"), PATIENCE), "its network stays"
        docker("rmi", "--no-prune", image)


def _stack(image: str) -> dict[str, object]:
    environment = {
        "RAILS_ENV": "production",
        "RAILS_LOG_TO_STDOUT": "true",
        "DATABASE_URL": "postgresql://lago:s3cret-of-the-stack@db:5432/lago",
        "REDIS_URL": "redis://redis:6379",
        "SECRET_KEY_BASE": secrets.token_hex(32),
        "LAGO_RSA_PRIVATE_KEY": str(key_values()["rsa_b64_pkcs8"]),
        "LAGO_FRONT_URL": "https://front.lago.test",
        "LAGO_API_URL": "https://api.lago.test",
    }
    # Addresses of services need more of the kernel than every machine has.
    deploy = {"endpoint_mode": "dnsrr"}
    again = {"restart_policy": {"condition": "on-failure", "delay": "1s"}}
    services: dict[str, dict[str, object]] = {
        role: {
            "image": image,
            "command": [f"./scripts/start.{role}.sh"],
            "environment": environment,
            "deploy": deploy | ({"replicas": 2} if role == "api" else {}),
        }
        for role in ("api", "worker", "clock")
    }
    services["migrate"] = services["clock"] | {"command": ["./scripts/migrate.sh"], "deploy": deploy | again}
    account = {"POSTGRES_USER": "lago", "POSTGRES_PASSWORD": "s3cret-of-the-stack"}
    services["db"] = {"image": resolve.stand_in("postgres"), "environment": account, "deploy": deploy}
    services["redis"] = {"image": resolve.stand_in("redis"), "deploy": deploy}
    return {"version": "3.8", "services": services}


def test_a_stack_is_found_and_judged(stack, tmp_path):
    # Before the Lago of the other tests is up: with two of them a project has to be named.
    server = sshd.start(tmp_path / "ssh")
    there = SshHost(parse(server.url), server.ssh_config)
    try:
        assert until(lambda: observe(there, project=stack).database, PATIENCE), "the database is not there"
        facts = observe(there)
        result = suite_run.run(tmp_path / "run", "-m", "smoke and phase2", *server.options)
    finally:
        there.close()
        server.stop()
    assert (facts.project, facts.elsewhere) == (stack, {})
    assert [each.name for each in facts.platforms] == ["Docker Swarm"]
    assert sorted(each.service.name for each in facts.containers) == sorted((*STACK, "api"))
    assert any(each.service.name == "worker" for each in facts.others), "the task that is over"
    assert facts.database.complete and facts.redis.version
    assert not result.red() & {"restart-policy-missing", "service-more-than-once", "drift", "service-down"}
    reasons = {each["reason"] for each in result.summary["checks"] if each["outcome"] == "unknown"}
    assert any("Swarm starts tasks again by the policy of their service" in each for each in reasons), reasons
    assert any("Swarm does not note which compose file" in each for each in reasons), reasons


_create_network = docker_daemon.create_network


def _overlay(name: str, run_id: str, host: Host, permit: Permit, kept: Path | None = None) -> None:
    if name.endswith("-edge"):
        # Containers of an overlay are not reached from the host, and the edge has to be.
        _create_network(name, run_id, host, permit, kept)
        return
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
