"""Databases of a Lago with data, and the images of several releases run on them, one after the other."""

from __future__ import annotations

import functools
import itertools
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.patience import PATIENCE
from tests.support.standin.boot import NEW_ORGANIZATION, key_values
from tests.support.standin.containers import World, accepts_connections, sql

if TYPE_CHECKING:
    from docker.models.containers import Container

API_KEY = "00000000-0000-4000-8000-0000000000ab"
MIGRATE = "./scripts/migrate.sh"
JOBS = tuple(
    f"DatabaseMigrations::PopulateFees{each}Job"
    for each in ("WithOrganizationFromInvoice", "WithOrganizationFromSubscription", "WithBillingEntityId")
)

DATA = """
INSERT INTO customers (organization_id, external_id, sequential_id, slug, currency)
  SELECT id, 'old', 1, 'ACC-001', 'EUR' FROM organizations;
INSERT INTO plans (organization_id, name, code, interval, amount_cents, amount_currency, pay_in_advance)
  SELECT id, 'Old', 'old', 1, 4900, 'EUR', true FROM organizations;
INSERT INTO billable_metrics (organization_id, name, code, aggregation_type) SELECT id, 'Calls', 'calls', 0 FROM organizations;
INSERT INTO charges (plan_id, billable_metric_id, charge_model, properties)
  SELECT plans.id, billable_metrics.id, 0, '{"amount": "1"}' FROM plans, billable_metrics;
INSERT INTO subscriptions (customer_id, plan_id, external_id, status, subscription_at, started_at)
  SELECT customers.id, plans.id, 'old', 1, now(), now() FROM customers, plans;
INSERT INTO invoices (organization_id, customer_id, issuing_date, payment_due_date, status, currency, fees_amount_cents, total_amount_cents)
  SELECT organization_id, id, now(), now(), 1, 'EUR', 2100, 2100 FROM customers;
INSERT INTO fees (invoice_id, subscription_id, fee_type, amount_cents, amount_currency, units, from_datetime, to_datetime)
  SELECT invoices.id, subscriptions.id, 'charge', n, 'EUR', n, now(), now() FROM invoices, subscriptions, generate_series(0, 1600) n;
INSERT INTO invoice_subscriptions (invoice_id, subscription_id, invoicing_reason, timestamp)
  SELECT invoices.id, subscriptions.id, 'subscription_starting', now() FROM invoices, subscriptions;
"""
"""Of every table that a later release asks for an organization some rows, and fees for two batches, one of them zero."""


@dataclass(frozen=True)
class Ended:
    """How a container ended, and what it printed."""

    status: int
    log: str


class Upgrades:
    """One PostgreSQL and one Redis; each run has queues of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._numbers = itertools.count(1)
        # Redis has sixteen databases; the first one is for those that nobody looks at.
        self.queues = itertools.count(1)
        self.postgres = world.database("lago-db", ["-c", "fsync=off"], POSTGRES_INITDB_ARGS="--no-sync")
        self.redis = world.redis("lago-redis")
        assert until(lambda: accepts_connections(self.postgres), PATIENCE), "PostgreSQL is not ready"
        self._environment = NEW_ORGANIZATION | {
            "RAILS_ENV": "production",
            "SECRET_KEY_BASE": secrets.token_hex(32),
            "LAGO_RSA_PRIVATE_KEY": str(key_values()["rsa_b64_pkcs8"]),
            "LAGO_FRONT_URL": "http://front.lago.test",
            "LAGO_ORG_API_KEY": API_KEY,
            "LAGO_API_KEY": API_KEY,
        }

    @functools.cached_property
    def empty(self) -> str:
        """A database of 1.16.0 with an organization and nothing else."""
        self.sql("CREATE DATABASE empty", "lago")
        return self.migrated("v1.16.0", "empty")

    @functools.cached_property
    def before(self) -> str:
        """A database of 1.16.0 with data."""
        name = self.copy(self.empty, "before")
        self.sql(DATA, name)
        return name

    @functools.cached_property
    def failed(self) -> Ended:
        """How 1.26.0's migration ended on a copy, which is `half` since then."""
        return self.run("v1.26.0", self.copy(self.before, "half"), MIGRATE)

    @functools.cached_property
    def half(self) -> str:
        """The copy on which it failed."""
        assert self.failed.status == 1
        return "half"

    @functools.cached_property
    def whole(self) -> str:
        """A copy that went to 1.25.0, where jobs and a worker filled its fees, and then to 1.26.0."""
        name = self.migrated("v1.25.0", self.copy(self.before, "whole"))
        self.fill("v1.25.0", name, *JOBS)
        return self.migrated("v1.26.0", name)

    def copy(self, of: str, name: str) -> str:
        """A database of that name with what another one has."""
        self.sql(f"CREATE DATABASE {name} TEMPLATE {of}", "lago")
        return name

    def migrated(self, release: str, database: str) -> str:
        """The database, after a release has migrated it."""
        ended = self.run(release, database, MIGRATE)
        assert ended.status == 0, ended.log
        return database

    def fill(self, release: str, database: str, *jobs: str) -> None:
        """What an operator types, and a worker of the same release until no fee is left."""
        queues = next(self.queues)
        code = "; ".join(f"{job}.perform_now" for job in jobs)
        ended = self.run(release, database, f"bundle exec rails runner '{code}'", queues)
        assert ended.status == 0, ended.log
        worker = self.start(release, database, "./scripts/start.worker.sh", queues)
        columns = "billing_entity_id IS NULL OR organization_id IS NULL"
        left = f"SELECT count(*) FROM fees WHERE {columns}"
        assert until(lambda: self.sql(left, database) == "0", PATIENCE), worker.logs().decode()[-3000:]
        self.remove(worker)

    def start(self, release: str, database: str, command: str, queues: int = 0) -> Container:
        """A container of a release on a database; it runs."""
        environment = self._environment | {
            "DATABASE_URL": f"postgresql://lago:lago@lago-db:5432/{database}",
            "REDIS_URL": f"redis://lago-redis:6379/{queues}",
        }
        name = f"run-{next(self._numbers)}"
        image = resolve.stand_in("lago-api", release)
        container = self.world.create(name, image, ["sh", "-c", f"exec {command}"], environment)
        container.start()
        return container

    def remove(self, container: Container) -> None:
        """End a container that was started here."""
        container.remove(force=True)
        self.world.containers.remove(container)

    def run(self, release: str, database: str, command: str, queues: int = 0) -> Ended:
        """The same until its end."""
        container = self.start(release, database, command, queues)
        status = container.wait(timeout=PATIENCE)["StatusCode"]
        ended = Ended(status, container.logs().decode())
        self.remove(container)
        return ended

    def sql(self, text: str, database: str) -> str:
        """What PostgreSQL answers."""
        return sql(self.postgres, text, database)

    def migrations(self, database: str) -> str:
        """How many a database has, and the newest."""
        return self.sql("SELECT count(*) || ' ' || max(version) FROM schema_migrations", database)
