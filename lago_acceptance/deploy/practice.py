"""A deployment of this run's own, on this machine, that is deployed to, broken and rolled back as a production host is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import msgspec
import yaml

from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.core import run as runs
from lago_acceptance.core.options import Options
from lago_acceptance.core.roles import API, DB, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.deploy import identity, plan, state, version
from lago_acceptance.deploy.mistakes import Edit
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.deploy.rollout import NotDeployed, Rollout
from lago_acceptance.deploy.session import STATE, part
from lago_acceptance.deploy.state import PastDeploy
from lago_acceptance.deploy.steps import DEPLOY, QUICK_DEPLOY
from lago_acceptance.deploy.wishes import Wishes
from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.base import CommandResult, ReadCommand, WriteCommand
from lago_acceptance.model.from_compose import declared
from lago_acceptance.scenarios import customers
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.targets.stack.stack import Stack

INVOICE_SECONDS, UP_SECONDS = 30.0, 120
# Less than any database of PostgreSQL needs, and enough for what a deploy copies before it looks.
SMALL_DISK = "4m"
PLAN_CENTS, EVENTS = 4900, 3
_PRELUDE = """set -eu
LC_ALL=C
export LC_ALL
tab='\t'
fail() { printf '%s\\n' "$*" >&2 && exit 1; }
"""
_CONTENTS = """
identity "$(db_container)" "$database"
redis_in "$(redis_container)" ZRANGE schedule 0 -1 | sed 's/^/job\t/'
"""
_CONTAINERS = """
docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" | while read -r each; do
    docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}}{{"\t"}}{{.Image}} {{.State.Status}} {{.State.ExitCode}}' "$each"
done | sort
"""
_MOUNTED = """
docker ps -aq --filter "label=com.docker.compose.project=$project" | while read -r each; do
    docker inspect -f '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}' "$each"
done | sed '/^$/d' | sort -u
"""
_VOLUMES = "docker volume ls -q | sort"
_PORT = 'docker port "$(of_service "$api_service")" 3000/tcp | head -n 1'
# A job as Sidekiq keeps it, due in a year: whoever loses it loses the jobs of customers too.
_ADD_JOB = """
redis_in "$(redis_container)" ZADD schedule "$(($(date +%s) + 31536000))" "$job"
"""
_FORGET = """
for each in $ids; do
    docker image ls --filter "reference=lago-acceptance-backup/*:$each" --format '{{.Repository}}:{{.Tag}}' | xargs -r docker rmi
done
"""


class Contents(msgspec.Struct, frozen=True):
    """What a deployment holds and runs: rows and jobs by name, the customer's invoices as the API shows them, the jobs that wait,
    image and state of each service, the volumes that its containers mount, and the SHA-256 of each file.
    """

    rows: dict[str, str]
    invoices: tuple[tuple[str, str, int], ...]
    jobs: frozenset[str]
    services: dict[str, str]
    volumes: tuple[str, ...]
    files: dict[str, str]


class Practice:
    """A deployment to deploy to. Its files are what Compose makes of those under test, with this run's changes."""

    def __init__(self, options: Options, settings: Settings, owner_run: runs.Run):
        private = owner_run.private / "rollback"
        private.mkdir(mode=0o700)
        reports = private / "reports"
        reports.mkdir()
        # An id of its own: what is left of it is found and removed as what is left of any run.
        self.run = runs.Run(runs.new_id(), reports, private)
        self.stack = Stack(options, settings, self.run)
        self.host, self.permit = self.stack.host, self.stack.permit
        self.folder, self._good = private / "lago", private / "good"
        own = settings.deployment
        deployment = msgspec.structs.replace(
            own,
            directory=str(self.folder),
            compose_file=own.compose_file or options.compose_file.name,
            env_file=own.env_file or ".env",
        )
        self.settings = msgspec.structs.replace(settings, deployment=deployment)
        self._customer = f"{runs.PREFIX}{self.run.id}-kept"
        self._owner = Owner.of(self.run)

    def prepare(self) -> None:
        """Find images, make networks, and write the files; nothing runs yet. UsageError or Unreachable as for a stack."""
        self.stack.prepare()
        self.stack.make_networks()
        for folder in (self.folder, self._good):
            folder.mkdir(mode=0o700)
        document = json.loads(json.dumps(self.stack.document))
        for service in document["services"].values():
            for mount in service.get("volumes", ()):
                if mount["type"] == "bind" and Path(mount["source"]).is_file():
                    name = Path(mount["source"]).name
                    shutil.copy(mount["source"], self._good / name)
                    mount["source"] = f"./{name}"
        self._write(self._good, document)

    def down(self) -> str:
        """Remove all of it, the names of images that the deploys have kept too; what is left, "" when nothing is."""
        ids = " ".join(each.id for each in self.deploys)
        left = self.stack.down()
        forgotten = self._change("removing kept images", _FORGET, {"ids": ids})
        shutil.rmtree(self.run.private, ignore_errors=True)
        return left or ("" if not forgotten.code else forgotten.output.strip())

    # --- deploying ---

    def ensure(self) -> Contents:
        """See that the right version runs, with billing data and a job that waits; what it holds."""
        self.deploy()
        if self.lago.find(f"customers/{self._customer}", "customer") is None:
            self._put_data()
        return self.contents()

    def deploy(self, edit: Edit | None = None) -> str:
        """Deploy the right version, or an edited one, and keep it; the id of the deploy, "" where nothing had to change.

        NotDeployed where a step failed and was undone.
        """
        with self._edited(edit) as folder:
            planned = self._plan(folder)
            if planned.nothing:
                return ""
            steps = DEPLOY if any(each.status == "running" for each in planned.containers) else QUICK_DEPLOY
            facts = observe(self.host, project=self.run.project)
            wishes = Wishes(up_seconds=UP_SECONDS)
            deployment = self.settings.deployment
            with Rollout(self.host, self.permit, deployment, planned, facts, wishes, steps) as rollout:
                rollout.run()
                rollout.accept()
                return rollout.id

    def refusal(self, edit: Edit) -> str:
        """What the report of a deploy says that must not come to be; "" where it did."""
        try:
            self.deploy(edit)
        except NotDeployed as failed:
            return str(failed)
        return ""

    def remove_containers(self) -> None:
        """Remove all containers, and leave files and volumes."""
        removed = 'docker ps -aq --filter "label=com.docker.compose.project=$project" | xargs -r docker rm -f'
        self._change("removing the containers", removed)

    @contextmanager
    def small_disk(self) -> Iterator[None]:
        """A disk below the folder of the deploys that is too small for any dump. Unknown where this account can't mount one."""
        place = str(self.folder / STATE)
        kept = f"{place}.kept"
        os.rename(place, kept)
        os.mkdir(place, 0o700)
        mount = ("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=700", "tmpfs", place)
        mounted = self.host.change(WriteCommand("mounting a small disk", mount, deadline=30), self.permit)
        try:
            if mounted.code:
                raise Unknown(
                    "a full disk needs a small one to be mounted, which this account may not do here (run as root)",
                    why="this account may not mount a small disk",
                    fix="run as root",
                )
            yield
        finally:
            if not mounted.code:
                self.host.change(
                    WriteCommand("removing the small disk", ("umount", place), deadline=30), self.permit
                )
            os.rmdir(place)
            os.rename(kept, place)

    def _plan(self, folder: Path) -> Plan:
        deployment = self.settings.deployment
        new = version.of_folder(folder, deployment)
        return plan.read(self.host, new, deployment, str(self.folder), self.run.project)

    @contextmanager
    def _edited(self, edit: Edit | None) -> Iterator[Path]:
        if edit is None:
            yield self._good
            return
        folder = self.run.private / "edited"
        shutil.copytree(self._good, folder)
        try:
            document = yaml.safe_load((folder / self.settings.deployment.compose_file).read_bytes())
            edit(document, folder)
            self._write(folder, document)
            yield folder
        finally:
            shutil.rmtree(folder)

    def _write(self, folder: Path, document: Document) -> None:
        path = folder / self.settings.deployment.compose_file
        path.touch(0o600)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    # --- what it holds ---

    @cached_property
    def _variables(self) -> dict[str, str]:
        model = declared(self.stack.document)
        api = next(iter(model.of_role(API)))
        url = service_url(api.value("DATABASE_URL"))
        names = {
            role: " ".join(each.name for each in model.of_role(role)) for role in (API, WORKER, DB, REDIS)
        }
        return {
            "project": self.run.project,
            "directory": str(self.folder),
            "compose_program": self.host.compose_command,
            "api_service": names[API],
            "worker_services": names[WORKER],
            "db_service": names[DB],
            "redis_service": names[REDIS],
            "database": url.database if url else "",
        }

    def contents(self) -> Contents:
        """What it holds now. Unreachable where it can't be asked."""
        lines = self._read("contents of the deployment", _CONTENTS)
        invoices = self.lago.some("invoices", external_customer_id=self._customer)
        return Contents(
            rows=identity.parsed(line for line in lines if not line.startswith("job\t")),
            invoices=tuple(
                sorted((each["lago_id"], each["status"], each["fees_amount_cents"]) for each in invoices)
            ),
            jobs=frozenset(line for line in lines if line.startswith("job\t")),
            services=identity.parsed(self._read("containers", _CONTAINERS)),
            volumes=tuple(self._read("mounted volumes", _MOUNTED)),
            files=self._digests(),
        )

    @property
    def volumes(self) -> tuple[str, ...]:
        """The names of all volumes on this machine."""
        return tuple(self._read("volumes", _VOLUMES))

    @property
    def deploys(self) -> tuple[PastDeploy, ...]:
        """All deploys to it so far, the oldest first."""
        return state.read(self.host, str(self.folder)).deploys

    def _digests(self) -> dict[str, str]:
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.iterdir())
            if path.is_file()
        }

    @property
    def lago(self) -> Lago:
        """Its API, as the seeded organization. Unknown where the deployment seeds no key."""
        if self.stack.api_key is None:
            raise Unknown(
                "no API key is known before Lago is up, because the compose file seeds none; set LAGO_ORG_API_KEY and LAGO_API_KEY",
                why="no API key is known before Lago is up, because the compose file seeds none",
                fix="set LAGO_ORG_API_KEY and LAGO_API_KEY",
            )
        # Docker gives another port to each container.
        found = self._read("API's port", _PORT)
        if not found:
            raise Unreachable("the API of the deployment that is rolled back publishes no port")
        return Lago(Connection(API, f"http://{found[0]}"), self.stack.api_key)

    def _put_data(self) -> None:
        """A customer with a subscription, events and a finalized invoice, and a job that waits for next year."""
        lago, name = self.lago, self._customer
        metric = {"name": name, "code": name, "aggregation_type": "sum_agg", "field_name": "count"}
        lago.create("billable_metrics", "billable_metric", metric)
        priced = {"amount_cents": PLAN_CENTS, "amount_currency": "USD", "interval": "monthly"}
        lago.create("plans", "plan", {"name": name, "code": name, "pay_in_advance": True, **priced})
        customers.create(lago, self._owner, name)
        subscription = customers.subscribe(lago, name, name)["external_id"]
        for number in range(EVENTS):
            event = {"code": name, "external_subscription_id": subscription, "properties": {"count": 1}}
            lago.create("events", "event", event | {"transaction_id": f"{name}-{number}"})
        if not until(lambda: lago.some("invoices", external_customer_id=name), INVOICE_SECONDS):
            raise Unreachable(
                f"Lago made no invoice within {INVOICE_SECONDS:.0f} s, so there is no billing data to keep"
            )
        job = {"class": "PracticeJob", "args": [], "queue": "default", "jid": name, "retry": False}
        added = self._change("adding a job", _program("host", "dump") + _ADD_JOB, {"job": json.dumps(job)})
        if added.code:
            raise Unreachable(f"no job could be added to Redis: {added.output.strip()[-200:]}")

    def _read(self, name: str, text: str) -> list[str]:
        asked = ReadCommand(name, _program("host", "dump") + text, self._variables, deadline=60)
        return self.host.read(asked).splitlines()

    def _change(self, name: str, text: str, more: Mapping[str, str] | None = None) -> CommandResult:
        environment = {**os.environ, **self._variables, **(more or {})}
        return self.host.change(WriteCommand(name, ("sh", "-c", text), environment), self.permit)


def _program(*parts: str) -> str:
    return "".join((_PRELUDE, *map(part, parts)))
