"""A proxy that is part of the file under test sees this run's containers through its Docker socket, and nobody else's."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.run import PREFIX
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images.resolve import stand_in
from lago_acceptance.targets.stack import docker_daemon, edge
from lago_acceptance.targets.stack.compose_runner import RunCompose
from lago_acceptance.targets.stack.mounts import Places
from lago_acceptance.targets.stack.overlay import overlay, verify
from tests.support.containers import OURS, Container, docker
from tests.support.patience import PATIENCE

SOCKET = "/var/run/docker.sock"


def compose(project: Project, *verb: str) -> None:
    subprocess.run(project.arguments(*verb), env=project.environment(), check=True, timeout=PATIENCE)


def file_under_test() -> dict:
    """A Traefik with options to look at Docker on a given network, and something behind it, which is on another one too."""
    serve = ["python3", "-m", "http.server", "8000"]
    return {
        "services": {
            "traefik": {
                "image": "traefik:v3.1",
                "command": [
                    "--providers.docker=true",
                    "--providers.docker.network=web",
                    "--entrypoints.web.address=:80",
                    "--api.insecure=true",
                ],
                "networks": ["web"],
                "volumes": [f"{SOCKET}:{SOCKET}:ro"],
            },
            "shop": {
                "image": "python:3.11",
                "command": serve,
                "labels": {
                    "traefik.http.routers.shop.rule": "Host(`shop.example.test`)",
                    "traefik.http.services.shop.loadbalancer.server.port": "8000",
                },
                "networks": ["inside", "web"],
            },
        },
        "networks": {"inside": {}, "web": {"name": "web"}},
    }


@pytest.fixture(scope="module")
def traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """That Traefik, with a container of another project on its own network."""
    folder: Path = tmp_path_factory.mktemp("view")
    run = f"selftest-{secrets.token_hex(3)}"
    name = f"{PREFIX}{run}"
    images = {"traefik:v3.1": stand_in("traefik"), "python:3.11": stand_in("python")}
    edge.prepare(folder / "edge")
    web = f"{name}-web"
    names = {web: "web"}
    shared = {"edge": f"{name}-own", "proxy": f"{name}-proxy"}
    bare = edge.project(f"{name}-edge", folder / "edge", name, shared, network_names=names)
    (folder / "edge.yml").write_text(
        overlay(resolve(bare), {"python:3.11-alpine": stand_in("python")}, {}).text
    )
    beside = bare.with_file(folder / "edge.yml")

    (folder / "project").mkdir()
    (folder / "project" / "compose.yml").write_text(yaml.safe_dump(file_under_test()))
    written = Project(name=name, files=(folder / "project" / "compose.yml",))
    places = Places(folder / "project", folder, docker_socket=edge.docker_socket(folder / "edge"))
    networks = {"web": web}
    changes = overlay(resolve(written), images, networks, places)
    (folder / "overlay.yml").write_text(changes.text)
    project = written.with_file(folder / "overlay.yml")
    assert changes.told == ("traefik: the Docker socket shows this run's containers only, and changes none",)
    verify(project, networks, places)

    foreign = {**OURS, "traefik.http.routers.foreign.rule": "Host(`foreign.example.test`)"}
    labels = [word for key, value in foreign.items() for word in ("--label", f"{key}={value}")]
    for network in (web, shared["edge"]):
        docker_daemon.create_network(network, run, LocalHost(), Permit("test"))
    try:
        # Before Traefik, which takes all that it sees at once.
        words = ("--name", f"{name}-foreign", "--expose", "8000", *labels, stand_in("pebble"), "sleep", "600")
        docker("run", "--detach", *words)
        # Before the deployment, and nothing else of the edge: the network of its proxy isn't there yet.
        runner = RunCompose(beside, LocalHost(), Permit("test"), PATIENCE, services=(edge.DOCKER_VIEW,))
        assert runner.run("up").code == 0
        assert len(docker("ps", "-q", "--filter", f"name={beside.name}").split()) == 1
        edge.wait_for_docker_socket(folder / "edge")
        compose(project, "up", "--detach")
        docker("network", "connect", web, f"{name}-foreign")
        yield Container(f"{name}-traefik-1")
    finally:
        docker("rm", "--force", "--volumes", f"{name}-foreign")
        compose(project, "down", "--volumes", "--timeout", "1")
        compose(beside, "down", "--volumes", "--timeout", "1")
        docker("network", "rm", web, shared["edge"])


def address(container: Container) -> str:
    return docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container.name
    )


def status(container: Container, host: str) -> int:
    try:
        answer = httpx.get(f"http://{address(container)}/", headers={"Host": host}, trust_env=False)
    except httpx.TransportError:
        return 0
    return answer.status_code


def test_the_files_own_traefik_serves_this_runs_containers_alone(traefik: Container) -> None:
    assert until(lambda: status(traefik, "shop.example.test") == 200, PATIENCE), traefik.logs()
    assert "Could not find network" not in traefik.logs()
    assert status(traefik, "foreign.example.test") == 404
    routers = httpx.get(f"http://{address(traefik)}:8080/api/http/routers", trust_env=False).json()
    names = {each["name"] for each in routers if each["provider"] == "docker"}
    assert "shop@docker" in names and not any("foreign" in each for each in names)


def test_a_container_that_stops_is_seen_at_once(traefik: Container) -> None:
    shop = traefik.name.replace("-traefik-", "-shop-")
    docker("stop", "--time", "0", shop)
    assert until(lambda: status(traefik, "shop.example.test") != 200, PATIENCE), traefik.logs()
    docker("start", shop)
    assert until(lambda: status(traefik, "shop.example.test") == 200, PATIENCE), traefik.logs()


@pytest.mark.parametrize("user", ["0", "65534"])
def test_any_user_reads_through_the_socket_and_nobody_changes_anything(traefik: Container, user: str) -> None:
    def ask(path: str, *more: str) -> str:
        words = ("curl", "-sS", "--unix-socket", SOCKET, *more, f"http://docker{path}")
        return docker("exec", "--user", user, traefik.name, *words)

    run = traefik.name.removesuffix("-traefik-1")
    own = {f"/{run}-{service}-1" for service in ("traefik", "shop")}
    assert {name for each in json.loads(ask("/containers/json?all=1")) for name in each["Names"]} == own
    assert {each["Name"] for each in json.loads(ask("/networks"))} == {
        f"{run}_inside",
        f"{run}-own",
        "web",
    }
    seen = json.loads(ask("/networks/web"))["Containers"].values()
    assert {f"/{each['Name']}" for each in seen} == own
    status_of = ("-o", "/dev/null", "-w", "%{http_code}")
    assert ask(f"/containers/{run}-foreign/json", *status_of) == "404"
    for verb, path in (
        ("POST", f"/containers/{run}-shop-1/kill"),
        ("GET", "/images/json"),
        ("DELETE", "/networks/x"),
    ):
        assert ask(path, *status_of, "-X", verb) == "403"
