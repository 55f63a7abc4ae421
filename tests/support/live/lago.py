"""A live host for tests: a Lago that runs on this machine's Docker, reached through an ssh server on
loopback."""

from __future__ import annotations

import contextlib
import hashlib
import os
import unittest.mock
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lago_acceptance.clients.connection import through
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core import resources, run
from lago_acceptance.core.options import Options
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import load
from lago_acceptance.images import resolve
from lago_acceptance.plans import catalogue
from lago_acceptance.plans.seeding import seed
from lago_acceptance.targets.stack import edge
from lago_acceptance.targets.stack.stack import Stack
from tests.support import broken_deployments, suite_run
from tests.support.containers import docker
from tests.support.live import sshd
from tests.support.paths import DATA


@dataclass
class LiveLago:
    """A Lago that is up, and the options with which a live run looks at it."""

    stack: Stack
    server: sshd.Sshd
    folder: Path

    @property
    def project(self) -> str:
        """The Compose project on the host."""
        return self.stack.run.project

    @property
    def options(self) -> list[str]:
        """The options of a live run."""
        return self.options_for(self.server)

    def options_for(self, server: sshd.Sshd) -> list[str]:
        """The same for another way to the same host."""
        return [
            # Named, for pytest would start a second time to find it among paths of options.
            "-c",
            str(ROOT / "pytest.ini"),
            *server.options,
            "--settings",
            str(self.folder / "settings.toml"),
            "--ca-file",
            str(self.folder / "roots.crt"),
        ]

    @property
    def lago(self) -> Lago:
        """Production's organization, as its key opens it."""
        return Lago(through(self.stack.public_view(), API), self.stack.api_key)

    @property
    def front_image(self) -> str:
        """The front's image, by a name that is this host's alone."""
        return front_image(self.folder)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return docker(
            "ps",
            "-aq",
            "--no-trunc",
            "--filter",
            f"label=com.docker.compose.project={self.project}",
            "--filter",
            f"label=com.docker.compose.service={service}",
        )

    def sql(self, text: str) -> str:
        """Run SQL in Lago's database as its owner, whatever a test has set for all sessions; what psql prints."""
        return docker(
            "exec",
            "--env=PGOPTIONS=-c default_transaction_read_only=off -c statement_timeout=60s",
            self.container("lago-db"),
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "lago",
            "-d",
            "lago",
            "-c",
            text,
        )

    def redis(self, *words: str) -> str:
        """Run a command in Redis, in the database of the jobs."""
        return docker("exec", self.container("lago-redis"), "redis-cli", *words)


def bring_up(folder: Path) -> LiveLago:
    """Bring a healthy Lago up, with the gateway and a seeded catalogue, and start the ssh server through which it is
    looked at."""
    broken_deployments.write(folder / "deployment")
    options = _options(folder)
    stack = Stack(options, load(options.settings), run.start(options.reports))
    stack.wants_gateway = True
    with _own_front_image(folder):
        stack.prepare()
    try:
        stack.up()
        assert not stack.bring_up.failed, stack.bring_up.failed
        seed(
            LiveLago(stack, None, folder).lago, catalogue.load(resources.COMPOSE / "plans.yml"), stack.permit
        )
        _write_settings(stack, folder)
        return LiveLago(stack, sshd.start(folder / "ssh"), folder)
    except BaseException:
        stack.down()
        raise


@contextlib.contextmanager
def kept_by(result: suite_run.Result, folder: Path) -> Iterator[LiveLago]:
    """The stack that a run with --keep has left up, as a live host; removed at the end.

    ``folder`` holds the deployment, and was the run's TMPDIR.
    """
    [private] = folder.glob(f"{run.PREFIX}*")
    options = _options(folder)
    stack = Stack(options, load(options.settings), run.Run(result.summary["run"], result.reports, private))
    try:
        stack.project = stack._written.project
        stack.edge = edge.attach(stack.host, stack.run.edge_project, private / "edge", stack.network("edge"))
        _write_settings(stack, folder)
        server = sshd.start(folder / "ssh")
        try:
            yield LiveLago(stack, server, folder)
        finally:
            server.stop()
    finally:
        left = stack.down()
        stack.run.close()
    assert not left, left


def _options(folder: Path) -> Options:
    return Options(
        reports=folder / "reports",
        compose_files=(folder / "deployment" / "docker-compose.lago.yml",),
        env_file=folder / "deployment" / ".env.lago",
    )


def front_image(folder: Path) -> str:
    """A name for the front's image that no other run uses."""
    return f"selftest/lago-front:{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


@contextlib.contextmanager
def _own_front_image(folder: Path) -> Iterator[None]:
    found = resolve.resolve({"getlago/front:v1.16.0"}, "auto", os.environ)["getlago/front:v1.16.0"]
    docker("tag", found.reference, front_image(folder))
    with unittest.mock.patch.dict(os.environ, LAGO_FRONT_IMAGE=front_image(folder)):
        yield


def take_down(lago: LiveLago) -> None:
    """End everything."""
    lago.server.stop()
    left = lago.stack.down()
    docker("rmi", "--no-prune", lago.front_image)
    lago.stack.run.close()
    assert not left, left


def _write_settings(stack: Stack, folder: Path) -> None:
    view = stack.public_view()
    text = (DATA / "settings.toml").read_text()
    if not stack.wants_gateway:
        text = text.replace('gateway = "api.bizoholic.net"', 'gateway = ""')
    (folder / "settings.toml").write_text(
        text.replace('"dokploy-network"', f'"{stack.network("proxy")}"')
        .replace('"brain-network"', f'"{stack.network("gateway")}"')
        .replace('directory = "/root/lago"', f'directory = "{stack.project.directory}"')
        .replace(
            'resolvers = ["1.1.1.1", "8.8.8.8"]',
            f"resolvers = {[resolver.address for resolver in view.resolvers]}\n"
            f'system_resolver = false\norigin = "{view.origin}"'.replace("'", '"'),
        )
        + f'\n[plans]\nfile = "{resources.COMPOSE / "plans.yml"}"\n'
    )
    descriptor = os.open(folder / "roots.crt", os.O_WRONLY | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "w") as file:
        file.write(view.roots)
