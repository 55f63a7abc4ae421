"""PostgreSQL, Redis and the stand-in for Lago's API image on a network of their own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lago_acceptance.images import resolve
from tests.support.containers import OURS
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.volumes import Volume


class World:
    """What the containers of one test share. Everything in it carries the run's random name and ends with it.

    The network has no way out, so that nothing here depends on what the internet answers.
    """

    def __init__(self, client: DockerClient) -> None:
        self.client = client
        self.run = f"standin-{secrets.token_hex(4)}"
        self.image = resolve.stand_in("lago-api")
        self.containers: list[Container] = []
        self.volumes: list[Volume] = []
        self.network = client.networks.create(f"{self.run}-net", internal=True)

    def create(
        self,
        alias: str,
        image: str,
        command: list[str] | None,
        environment: Mapping[str, str],
        **options: object,
    ) -> Container:
        """A container that others reach under its alias; it isn't started yet."""
        endpoint = self.client.api.create_endpoint_config(aliases=[alias])
        container = self.client.containers.create(
            image, command, environment=dict(environment), name=f"{self.run}-{alias.replace('_', '-')}",
            network=self.network.name, networking_config={self.network.name: endpoint}, labels=OURS, **options,
        )  # fmt: skip
        self.containers.append(container)
        return container

    def lago(self, alias: str, script: str, environment: Mapping[str, str], **options: object) -> Container:
        """A container of Lago's image, not started yet. It gives up soon on names that nobody here has."""
        patience = ["timeout:1", "attempts:1"]
        return self.create(alias, self.image, script.split(), environment, dns_opt=patience, **options)

    def database(self, alias: str, command: list[str] | None = None, **more: str) -> Container:
        """PostgreSQL with an empty database `lago`, whose owner and password are `lago` too; started."""
        account = {"POSTGRES_USER": "lago", "POSTGRES_PASSWORD": "lago", "POSTGRES_DB": "lago"}
        container = self.create(alias, resolve.stand_in("postgres"), command, account | more)
        container.start()
        return container

    def redis(self, alias: str) -> Container:
        """Redis, started."""
        container = self.create(alias, resolve.stand_in("redis"), None, {})
        container.start()
        return container

    def volume(self, name: str) -> Volume:
        """An empty volume."""
        volume = self.client.volumes.create(f"{self.run}-{name}")
        self.volumes.append(volume)
        return volume

    def close(self) -> None:
        """Remove all of it."""
        for container in self.containers:
            container.remove(force=True, v=True)
        for volume in self.volumes:
            volume.remove()
        self.network.remove()


@contextmanager
def world() -> Iterator[World]:
    """A world that ends with the block."""
    import docker

    client = docker.from_env(timeout=PATIENCE)
    # Else each request reads the environment, which pytest changes meanwhile: a KeyError in a thread.
    client.api.trust_env = False
    try:
        made = World(client)
        try:
            yield made
        finally:
            made.close()
    finally:
        client.close()


def accepts_connections(database: Container) -> bool:
    """Whether PostgreSQL listens for others, which it does only once it is set up."""
    return database.exec_run(["pg_isready", "--quiet", "--host=127.0.0.1", "--username=lago"]).exit_code == 0


def sql(database: Container, text: str, name: str = "lago") -> str:
    """What PostgreSQL answers to a statement, unaligned and without headings."""
    command = ["psql", "--host=127.0.0.1", "--username=lago", f"--dbname={name}", "-Atqc", text]
    result = database.exec_run(command, environment={"PGPASSWORD": "lago"})
    assert result.exit_code == 0, f"{text}: {result.output.decode()}"
    return result.output.decode().strip()
