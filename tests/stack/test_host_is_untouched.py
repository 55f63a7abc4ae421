"""A compose file that reaches for its host is brought up and judged, and the host keeps its data and its routes.

One stack, that is kept: a Traefik that starts later on the same daemon gets none of its requests.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lago_acceptance.core import run
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images import resolve
from lago_acceptance.targets.stack import docker_daemon
from tests.support import broken_deployments, suite_run
from tests.support.containers import docker
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]

REQUESTS = 100
NAMES = ("billing-api.bizoholic.net", "billing.bizoholic.net")
SPOIL = "for each in /root /data /volume; do echo spoilt >$$each/file; done; sleep 600"


def reaching(document: dict, folder: Path) -> None:
    """A sidecar that writes wherever it can, beside a PDF service and a volume that lie on the host."""
    data = folder / "data"
    data.mkdir()
    (data / "file").write_text("precious")
    document["services"]["sidecar"] = {
        "image": "python:3.11-alpine",
        "restart": "unless-stopped",
        "privileged": True,
        "network_mode": "host",
        "pid": "host",
        "entrypoint": ["sh", "-c", SPOIL],
        "volumes": [
            f"{folder}:/root",
            "./data:/data",
            "reaching:/volume",
            "/var/run/docker.sock:/var/run/docker.sock",
        ],
    }
    document["services"]["lago-pdf"]["volumes"] = [f"{data}:/tmp/files"]
    options = {"type": "none", "o": "bind", "device": str(data)}
    document["volumes"]["reaching"] = {"driver_opts": options}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reaching")


@pytest.fixture(scope="module")
def kept(folder: Path) -> Iterator[suite_run.Result]:
    """A run against it, whose stack is up."""
    options = broken_deployments.write(folder / "deployment", reaching)
    result = suite_run.run(
        folder / "reports", "-m", "smoke and (phase1 or phase2)", "--keep", *options, TMPDIR=str(folder)
    )
    yield result
    left = docker_daemon.remove(result.summary["run"], LocalHost(), Permit("--target stack"))
    assert left == ""


def test_it_is_judged_as_it_is_written(kept):
    assert kept.code == 1, kept.output[-3000:]
    assert kept.red() == {"privileged-container"}
    assert "warning [docker-socket-mounted] sidecar" in kept.output


def test_nothing_of_the_host_was_written(kept, folder):
    sidecar = docker("ps", "-q", "--filter", f"name={run.PREFIX}{kept.summary['run']}-sidecar")
    assert docker("exec", sidecar, "cat", "/volume/file") == "spoilt", (
        "it wrote nothing, so nothing is proven"
    )
    assert (folder / "deployment" / "data" / "file").read_text() == "precious"
    assert not (folder / "deployment" / "file").exists()


def test_what_was_taken_away_is_told(kept):
    taken = (
        "sidecar: privileged is left out",
        "sidecar: network_mode is left out",
        "sidecar: the Docker socket shows this run's containers only, and changes none",
        "volume reaching: an empty one of the run",
        "lago-pdf: an empty volume is mounted at /tmp/files",
    )
    overlay = (kept.reports / "overlay.yml").read_text()
    for each in taken:
        assert each in kept.output and f"# {each}" in overlay


def test_a_traefik_that_starts_later_gets_none_of_its_requests(kept):
    """It lies on the same network, and exposes every container that doesn't refuse it."""
    project = f"{run.PREFIX}{kept.summary['run']}"
    flags = ("--providers.docker=true", "--entrypoints.web.address=:80", "--ping=true", "--log.level=DEBUG")
    name = f"{project}-foreign"
    docker(
        "run", "--detach", "--name", name, "--network", f"{project}-dokploy-network",
        "--volume", "/var/run/docker.sock:/var/run/docker.sock:ro", resolve.stand_in("traefik"), *flags,
    )  # fmt: skip
    try:
        address = docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
        )

        def has_looked() -> bool:
            logged = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True)
            return "Filtering disabled container" in logged.stdout + logged.stderr

        assert until(has_looked, PATIENCE), "it did not look at this daemon's containers"
        with httpx.Client(trust_env=False, timeout=10) as client:
            answers = [
                client.get(f"http://{address}/", headers={"Host": host}).status_code
                for host in NAMES
                for _ in range(REQUESTS // len(NAMES))
            ]
        assert answers == [404] * REQUESTS
    finally:
        docker("rm", "--force", "--volumes", name)
