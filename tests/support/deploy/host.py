"""A host to deploy to: a Lago that runs from one folder of files, as on a production host, behind an edge of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from lago_acceptance.clients.answers import NotAnswered
from lago_acceptance.clients.connection import through
from lago_acceptance.clients.lago import Lago
from lago_acceptance.composefile.cli import Project
from lago_acceptance.core import resources, run
from lago_acceptance.core.options import Options
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import load
from lago_acceptance.core.waiting import until
from lago_acceptance.deploy.session import STATE
from lago_acceptance.images import resolve
from lago_acceptance.model.hidden_labels import hidden
from lago_acceptance.plans import catalogue
from lago_acceptance.plans.seeding import seed
from lago_acceptance.targets.stack import readiness
from lago_acceptance.targets.stack.stack import Stack
from tests.support import broken_deployments
from tests.support.containers import docker
from tests.support.deploy.billed import await_invoices
from tests.support.live import lago as live
from tests.support.live import sshd
from tests.support.patience import PATIENCE

COMPOSE_FILE, ENV_FILE = "docker-compose.lago.yml", ".env.lago"
MOUNTED = ("lago_rsa_private.pem", "rsa_key.rb")
FILES = (COMPOSE_FILE, ENV_FILE, *MOUNTED)
COUNTED = ("customers", "plans", "subscriptions", "invoices", "events")
UP_SECONDS = 240


@dataclass
class DeployableHost:
    """A Lago that is up, the folder that it runs from, and the way to it by ssh."""

    live: live.LiveLago
    folder: Path

    @property
    def project(self) -> str:
        """The Compose project on the host."""
        return self.live.project

    @property
    def url(self) -> str:
        """The host, as commands take it."""
        return self.live.server.url

    @property
    def options(self) -> list[str]:
        """The options of a live run that looks at it."""
        return self.live.options

    @property
    def settings(self) -> Path:
        """The settings of the deployment."""
        return self.live.folder / "settings.toml"

    def client(self, seconds: float = 10) -> Lago:
        """The public API, with the organization's key, over a connection of its own."""
        return Lago(through(self.live.stack.public_view(), API, seconds), self.live.stack.api_key)

    def sql(self, text: str) -> str:
        """What psql prints for SQL in Lago's database."""
        return self.live.sql(text)

    def redis(self, *words: str) -> str:
        """What Redis answers to a command in the database of the jobs."""
        return self.live.redis(*words)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self.live.container(service)

    def container_ids(self) -> dict[str, str]:
        """The id of each service's container; a service that is recreated has another one."""
        lines = docker(
            "ps",
            "-a",
            "--no-trunc",
            "--filter",
            f"label=com.docker.compose.project={self.project}",
            "--format",
            '{{.Label "com.docker.compose.service"}} {{.ID}}',
        )
        return dict(line.split() for line in lines.splitlines())

    def counts(self) -> dict[str, int]:
        """How many rows each of the tables has that billing is about."""
        pairs = ", ".join(f"'{table}', (SELECT count(*) FROM {table})" for table in COUNTED)
        return json.loads(self.sql(f"SELECT json_build_object({pairs})"))

    def files(self) -> dict[str, bytes]:
        """The deployment's four files as they are now."""
        return {name: (self.folder / name).read_bytes() for name in FILES}

    def copy(self, to: Path) -> Path:
        """An operator's checkout to deploy from: a folder with the four files."""
        copy_files(self.folder, to)
        return to

    def put_data(self) -> str:
        """Put a customer with a subscription, three events and a finalized invoice there.

        The customer's id; that of the subscription, the plan and the metric are the same.
        """
        name, client = f"deploy-{secrets.token_hex(4)}", self.client()
        metric = {"name": name, "code": name, "aggregation_type": "sum_agg", "field_name": "count"}
        client.create("billable_metrics", "billable_metric", metric)
        plan = {
            "name": name,
            "code": name,
            "interval": "monthly",
            "amount_cents": 4900,
            "amount_currency": "USD",
            "pay_in_advance": True,
        }
        client.create("plans", "plan", plan)
        client.create("customers", "customer", {"external_id": name, "name": name, "currency": "USD"})
        subscription = {"external_customer_id": name, "external_id": name, "plan_code": name}
        client.create("subscriptions", "subscription", subscription | {"billing_time": "anniversary"})
        for number in range(3):
            client.create("events", "event", event(name, f"{name}-{number}"))
        await_invoices(client, name, 1)
        return name

    def dump(self, path: Path, database: str = "lago") -> None:
        """Dump a database of the host's PostgreSQL into a file."""
        words = ["docker", "exec", self.container("lago-db"), "pg_dump", "-Fc", "-U", "lago", "-d", database]
        with path.open("wb") as file:
            subprocess.run(words, stdout=file, check=True, timeout=PATIENCE)

    def return_to(self, dump: Path) -> None:
        """Make a dump the database again, the only one; Lago's Ruby services are gone until ``restore``."""
        ids, database = self.container_ids(), self.container("lago-db")
        docker("rm", "-f", *[ids[name] for name in broken_deployments.RUBY_SERVICES if name in ids])
        psql = ["psql", "-XqAt", "-U", "lago", "-d", "postgres"]
        others = docker(
            "exec", database, *psql, "-c", "SELECT datname FROM pg_database WHERE datname LIKE 'lago%'"
        )
        for name in others.split():
            docker("exec", database, "dropdb", "-U", "lago", "--force", name)
        docker("exec", database, "createdb", "-U", "lago", "lago")
        with dump.open("rb") as file:
            words = [
                "docker",
                "exec",
                "-i",
                database,
                "pg_restore",
                "--exit-on-error",
                "-U",
                "lago",
                "-d",
                "lago",
            ]
            subprocess.run(words, stdin=file, check=True, timeout=PATIENCE)

    def keep_dump(self) -> Path:
        """A dump on the host, as a deploy leaves it, with what it holds."""
        folder = self.folder / STATE / "deploys" / run.new_id() / "backup"
        folder.mkdir(parents=True, mode=0o700)
        self.dump(folder / "database.dump")
        held = {name: str(count) for name, count in self.counts().items()}
        held |= {
            "organizations": self.sql("SELECT count(*) FROM organizations"),
            "migrations": self.sql("SELECT count(*) FROM schema_migrations"),
        }
        (folder / "identity").write_text("".join(f"{name}\t{value}\n" for name, value in held.items()))
        return folder / "database.dump"

    def up(self) -> None:
        """Have Docker run what the folder's files say, and wait until all of it is healthy."""
        project = Project(
            name=self.project, files=(self.folder / COMPOSE_FILE,), env_files=(self.folder / ENV_FILE,)
        )
        ended = subprocess.run(
            project.arguments("up", "--detach", "--wait", "--remove-orphans", "--timeout", "1"),
            cwd=self.folder,
            env=project.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=UP_SECONDS,
        )
        assert ended.returncode == 0, ended.stderr[-2000:]

    def restore(self) -> None:
        """Put the original files, containers and plans back. Other data and images stay as they are."""
        original = self.live.folder / "original"
        # Compose sees no difference in a container whose mounted file has changed, and it runs on with what it has read.
        read_otherwise = not all(same(original / name, self.folder / name) for name in MOUNTED)
        copy_files(original, self.folder)
        if read_otherwise:
            ids = self.container_ids()
            docker("rm", "-f", *[ids[name] for name in broken_deployments.RUBY_SERVICES if name in ids])
        self.forget_deploys()
        self.up()
        self.await_routes()
        self.seed()

    def seed(self) -> None:
        """Make the plans of the catalogue that are missing."""
        seed(self.client(), catalogue.load(resources.COMPOSE / "plans.yml"), self.live.stack.permit)

    def forget_deploys(self) -> None:
        """Remove what deploys keep, the names of images included."""
        state = self.folder / STATE
        for deploy in state.glob("deploys/*"):
            kept = f"reference=lago-acceptance-backup/*:{deploy.name}"
            names = docker("image", "ls", "--filter", kept, "--format", "{{.Repository}}:{{.Tag}}").split()
            if names:
                docker("image", "rm", *names)
        shutil.rmtree(state, ignore_errors=True)

    def await_routes(self) -> None:
        """Wait until the public API answers."""
        assert until(self._answers, PATIENCE)

    def _answers(self) -> bool:
        with contextlib.suppress(NotAnswered):
            return self.client().ask("GET", "organizations").status == 200
        return False

    def down(self) -> None:
        """End everything, and remove it."""
        self.live.server.stop()
        self.forget_deploys()
        left = self.live.stack.down()
        self.live.stack.run.close()
        assert not left, left


def event(subscription: str, transaction: str) -> dict:
    """A usage event of a subscription whose metric has the same code."""
    return {
        "transaction_id": transaction,
        "external_subscription_id": subscription,
        "code": subscription,
        "properties": {"count": 1},
    }


def copy_files(source: Path, to: Path) -> None:
    """Copy a deployment's four files, with their modes."""
    to.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy2(source / name, to / name)


def same(one: Path, other: Path) -> bool:
    """Whether two files are there and hold the same."""
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def edit(folder: Path, change: Callable[[dict, dict[str, str]], None]) -> None:
    """Change the compose document and the variables of a deployment's files, both in place."""
    document = yaml.safe_load((folder / COMPOSE_FILE).read_text())
    lines = (folder / ENV_FILE).read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    change(document, variables)
    (folder / COMPOSE_FILE).write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / ENV_FILE).write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


def running(image: str, front: str = "") -> Callable[[dict, dict[str, str]], None]:
    """An edit of a deployment's files: API, workers, clock and migrate run an image, and the front another one if it is given."""

    def change(document: dict, _: dict[str, str]) -> None:
        for name in broken_deployments.RUBY_SERVICES:
            document["services"][name]["image"] = image
        if front:
            document["services"]["lago-front"]["image"] = front

    return change


def bring_up(base: Path) -> DeployableHost:
    """Bring one up, without a gateway. ``base`` gets the folder of the deployment, settings, keys and reports."""
    folder, this = base / "lago", run.start(base / "reports")
    broken_deployments.write(folder, lambda document, _: _beside_others(document, this))
    edit(folder, lambda _, variables: variables.update(LAGO_API_HOST_PORT=str(_free_port())))
    copy_files(folder, base / "original")
    options = Options(
        reports=base / "reports", compose_files=(folder / COMPOSE_FILE,), env_file=folder / ENV_FILE
    )
    stack = Stack(options, load(options.settings), this)
    stack.prepare()
    try:
        stack.make_networks()
        host = DeployableHost(live.LiveLago(stack, None, base), folder)
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            edge = pool.submit(stack._start_edge)
            host.up()
            edge.result()
        view = stack.public_view()
        started_in = time.monotonic() - begun
        readiness.wait_for_certificates(stack.routed_hosts, view.origin, view.roots, started_in)
        live._write_settings(stack, base)
        host.await_routes()
        host.seed()
        host.live.server = sshd.start(base / "ssh")
        return host
    except BaseException:
        stack.down()
        this.close()
        raise


def _beside_others(document: dict, this: run.Run) -> None:
    """Give a compose file names, images, networks and labels that collide with nothing on this machine."""
    document["name"] = this.project
    services = document["services"]
    taken = resolve.resolve(sorted({each["image"] for each in services.values()}), "auto", os.environ)
    for service in services.values():
        service["image"] = taken[service["image"]].reference
        labels = service.get("labels", {})
        if "traefik.docker.network" in labels:
            labels["traefik.docker.network"] = this.network(labels["traefik.docker.network"])
        service["labels"] = hidden(labels)
        if "healthcheck" in service:
            # Whoever waits for a new container waits for its next probe.
            service["healthcheck"] |= {"start_interval": "1s", "start_period": "60s"}
    for key, network in document["networks"].items():
        if network.get("external"):
            network["name"] = this.network(key)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
