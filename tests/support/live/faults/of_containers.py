"""Faults of containers: they were stopped, quieted, frozen or taken off a network, and Docker's list looks as usual."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator

from lago_acceptance.core.waiting import until
from tests.support import containers
from tests.support.containers import docker
from tests.support.live.faults import Fault, Making
from tests.support.live.faults.of_stores import NETWORKS
from tests.support.live.lago import LiveLago
from tests.support.patience import PATIENCE


def command(made: tuple[str, ...], service: str, undone: tuple[str, ...]) -> Making:
    """A command of Docker on a service's container that makes a fault, and the one that takes it back."""

    @contextlib.contextmanager
    def making(lago: LiveLago) -> Iterator[None]:
        id = lago.container(service)
        docker(*made, id)
        try:
            yield
        finally:
            docker(*undone, id)
            healthy = ("inspect", "--format", "{{.State.Health.Status}}", id)
            assert until(lambda: docker(*healthy) == "healthy", PATIENCE)

    return making


@contextlib.contextmanager
def quieted_worker(lago: LiveLago) -> Iterator[None]:
    """The worker got TSTP and takes no more jobs, as before a deploy that never came."""
    id = lago.container("lago-worker")
    docker("exec", id, "bash", "-c", "kill -TSTP 1")
    quiet = "for each in $(redis-cli SMEMBERS processes); do redis-cli HGET $each quiet; done"
    redis = lago.container("lago-redis")
    assert until(lambda: "true" in docker("exec", redis, "sh", "-c", quiet), PATIENCE)
    try:
        yield
    finally:
        docker("restart", id)
        assert until(lambda: "false" in docker("exec", redis, "sh", "-c", quiet), PATIENCE)
        healthy = ("inspect", "--format", "{{.State.Health.Status}}", id)
        assert until(lambda: docker(*healthy) == "healthy", PATIENCE)


def off(service: str, network: Callable[[LiveLago], str]) -> Making:
    """A service's container was taken off a network of its file."""

    @contextlib.contextmanager
    def making(lago: LiveLago) -> Iterator[None]:
        name, id = network(lago), lago.container(service)
        aliases = docker(
            "inspect", "--format", f'{{{{json (index .NetworkSettings.Networks "{name}").Aliases}}}}', id
        )
        docker("network", "disconnect", name, id)
        try:
            yield
        finally:
            docker("network", "connect", *(f"--alias={alias}" for alias in json.loads(aliases)), name, id)
            healthy = ("inspect", "--format", "{{.State.Health.Status}}", id)
            assert until(lambda: docker(*healthy) == "healthy", PATIENCE)

    return making


def gateways(lago: LiveLago) -> str:
    """The network that Lago and the gateway share."""
    return lago.stack.network("gateway")


def lagos(lago: LiveLago) -> str:
    """The network on which Lago's processes reach its stores."""
    return f"{lago.project}_lago"


@contextlib.contextmanager
def second_clock(lago: LiveLago) -> Iterator[None]:
    """A clock beside the project, started by hand with the first one's variables and mounts."""
    clock = lago.container("lago-clock")
    image = docker("inspect", "--format", "{{.Config.Image}}", clock)
    networks = docker("inspect", "--format", NETWORKS, clock).split()
    # Not as arguments, which every process of this machine may read.
    with tempfile.NamedTemporaryFile("w") as variables:
        variables.write(docker("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", clock))
        variables.flush()
        options = ("--network", networks[0], "--volumes-from", clock, "--env-file", variables.name)
        with containers.running(
            image, "./scripts/start.clock.sh", options=options, name=f"{lago.project}-by-hand"
        ) as second:
            assert until(lambda: "Triggering" in second.logs(), PATIENCE), second.logs()
            yield


FAULTS = (
    Fault(
        name="the worker was stopped",
        made=command(("stop",), "lago-worker", ("start",)),
        id="service-down",
        said=("worker", "docker start", "invoices"),
        slow=True,
    ),
    Fault(
        name="the database was stopped",
        made=command(("stop",), "lago-db", ("start",)),
        id="service-down",
        said=("lago-db", "docker start"),
    ),
    Fault(
        name="Redis was stopped",
        made=command(("stop",), "lago-redis", ("start",)),
        id="service-down",
        said=("lago-redis", "docker start"),
        slow=True,
    ),
    Fault(
        name="the clock was killed",
        made=command(("kill",), "lago-clock", ("start",)),
        id="service-down",
        said=("clock", "137"),
        slow=True,
    ),
    Fault(
        name="the PDF service is frozen",
        made=command(("pause",), "lago-pdf", ("unpause",)),
        id="service-down",
        said=("pdf", "paused"),
        slow=True,
    ),
    Fault(
        name="the worker takes no more jobs", made=quieted_worker, id="worker-quiet", said=("docker restart",)
    ),
    Fault(
        name="the API is off the gateway's network",
        made=off("lago-api", gateways),
        id="wrong-network",
        slow=True,
    ),
    Fault(
        name="the worker is off Lago's network",
        made=off("lago-worker", lagos),
        id="off-its-network",
        said=("lago-worker", "docker network connect"),
        slow=True,
    ),
    Fault(
        name="the API is off Lago's network",
        made=off("lago-api", lagos),
        id="off-its-network",
        said=("lago-api", "docker network connect"),
        slow=True,
    ),
    Fault(
        name="the database is off Lago's network",
        made=off("lago-db", lagos),
        id="off-its-network",
        said=("lago-db", "docker network connect"),
        slow=True,
    ),
    Fault(
        name="Redis is off Lago's network",
        made=off("lago-redis", lagos),
        id="off-its-network",
        said=("lago-redis", "docker network connect"),
        slow=True,
    ),
    Fault(
        name="a second clock beside the project",
        made=second_clock,
        id="clock-of-another",
        also=frozenset({"database-client-another-lago"}),
        said=("by-hand",),
    ),
)
