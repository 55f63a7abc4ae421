"""Stand-ins of several releases fail and arrive on a database that holds data as the real ones were recorded to."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator

import httpx
import pytest

from lago_acceptance.core.waiting import until
from tests.support.paths import DATA
from tests.support.patience import PATIENCE
from tests.support.standin.containers import world
from tests.support.standin.upgrades import API_KEY, JOBS, MIGRATE, Upgrades

pytestmark = [pytest.mark.docker]

RECORDINGS = DATA / "recordings" / "upgrade"
MESSAGE = 'PG::CheckViolation: ERROR:  new row for relation "fees" violates check constraint "fees_billing_entity_id_null"'
HALF, WHOLE = "491 20250402152100", "525 20250425130412"
COMBINATIONS = {
    ("1.16.0", "1.16.0"): "before",
    ("1.16.0", "half"): "half",
    ("1.26.0", "half"): "half",
    ("1.26.0", "1.26.0"): "whole",
    ("1.16.0", "1.26.0"): "whole",
}
"""Image and schema, as recorded, and the database that has this schema here."""


@pytest.fixture(scope="module")
def lago() -> Iterator[Upgrades]:
    with world() as made:
        yield Upgrades(made)


def test_the_release_that_validates_fails_half_way_and_fails_again(lago):
    recorded = (RECORDINGS / "migrate-fails.log").read_text().splitlines()
    wanted = [
        line.rstrip(" =")
        for line in recorded
        if re.match(r"-- add|-- validate|== .* migrating|StandardError|PG::|/app/db", line)
    ]
    assert len(wanted) == 10
    assert (lago.failed.status, lago.migrations("half")) == (1, HALF)
    assert [line for line in wanted if line not in lago.failed.log] == []
    again = lago.run("v1.26.0", "half", MIGRATE)
    assert (again.status, lago.migrations("half")) == (1, HALF)
    assert [line for line in wanted[2:] if line not in again.log] == []


def test_without_fees_the_same_step_succeeds(lago):
    name = lago.migrated("v1.26.0", lago.copy(lago.empty, "without_fees"))
    assert lago.migrations(name) == WHOLE


def test_with_the_jobs_at_the_stop_it_arrives(lago):
    name = lago.whole
    assert lago.migrations(name) == WHOLE
    sums = "SELECT count(*) || ' ' || sum(amount_cents) FROM fees"
    (had, cents), (has, still) = (lago.sql(sums, each).split() for each in (lago.before, name))
    assert (int(had) - int(has), cents) == (1, still), "only the zero fee is deleted"
    assert lago.sql("SELECT count(*) FROM fees WHERE organization_id <> billing_entity_id", name) == "0"


@pytest.mark.exhaustive
def test_the_jobs_also_finish_what_stopped_half_way(lago):
    name = lago.copy(lago.half, "finished")
    ended = lago.run("v1.26.0", name, f"bundle exec rails runner {JOBS[2]}.perform_now")
    assert (ended.status, MESSAGE in ended.log) == (1, True), (
        "fees without an organization can't get its billing entity"
    )
    lago.fill("v1.26.0", name, *JOBS[:2])
    assert lago.migrations(lago.migrated("v1.26.0", name)) == WHOLE


@pytest.mark.parametrize(
    ("image", "schema"),
    [
        # test_lago_contract.py asks it more.
        pytest.param(*each, marks=pytest.mark.exhaustive if each == ("1.16.0", "1.16.0") else ())
        for each in COMBINATIONS
    ],
)
def test_an_image_on_a_schema_answers_as_recorded(lago, image, schema):
    with (RECORDINGS / "requests.tsv").open(encoding="utf-8", newline="") as stream:
        rows = [
            row
            for row in csv.DictReader(stream, delimiter="\t")
            if (row["image"], row["schema"]) == (image, schema)
        ]
    name = lago.copy(getattr(lago, COMBINATIONS[image, schema]), f"asked_{image}_{schema}".replace(".", "_"))
    api = lago.start(f"v{image}", name, "./scripts/start.api.sh")
    api.reload()
    address = next(iter(api.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]
    with httpx.Client(
        base_url=f"http://{address}:3000",
        headers={"Authorization": f"Bearer {API_KEY}"},
        timeout=30,
        trust_env=False,
    ) as client:
        assert until(lambda: listens(client), PATIENCE), api.logs().decode()
        seen = {row["request"]: asked(client, row["request"]) for row in rows}
    lago.remove(api)
    assert len(rows) == 16
    assert seen == {row["request"]: int(row["status"]) for row in rows}
    # The recorded counts went up with a 500: the row is stored before its answer can't be made.
    new = lago.sql("SELECT count(*) FROM customers WHERE external_id = 'new'", name)
    assert new == ("1" if image == "1.26.0" or schema == "1.16.0" else "0")


def listens(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


BODIES = {
    "customers": {"customer": {"external_id": "new"}},
    "plans": {
        "plan": {
            "name": "New", "code": "new", "interval": "monthly", "amount_cents": 100, "amount_currency": "EUR",
            "pay_in_advance": True,
        }
    },
    "subscriptions": {"subscription": {"external_customer_id": "another", "external_id": "new", "plan_code": "old"}},
    "events": {"event": {"transaction_id": "new", "code": "calls", "external_subscription_id": "old"}},
}  # fmt: skip


def asked(client: httpx.Client, request: str) -> int:
    """The status that a request of the recorded table gets."""
    method, path = request.split(" ", 1)
    if method == "GET":
        return client.get(path).status_code
    return client.post(f"/api/v1/{path}", json=BODIES[path]).status_code


@pytest.mark.parametrize("schema", ["half", pytest.param("whole", marks=pytest.mark.exhaustive)])
def test_the_old_worker_makes_no_invoice_on_a_newer_schema(lago, schema):
    name = lago.copy(getattr(lago, schema), f"billed_on_{schema}")
    queues = next(lago.queues)
    subscription = lago.sql("SELECT id FROM subscriptions", name)
    code = f"BillSubscriptionJob.perform_later(['{subscription}'],0,'subscription_starting')"
    invoiced = "DELETE FROM invoice_subscriptions; SELECT count(*) FROM invoices"
    before = lago.sql(invoiced, name)
    assert lago.run("v1.16.0", name, f'bundle exec rails runner "{code}"', queues).status == 0
    worker = lago.start("v1.16.0", name, "./scripts/start.worker.sh", queues)
    dead = ["redis-cli", "-n", str(queues), "zrange", "dead", "0", "-1"]
    assert until(lambda: bool(lago.redis.exec_run(dead).output.strip()), PATIENCE)
    lago.remove(worker)
    job = json.loads(lago.redis.exec_run(dead).output.decode().splitlines()[0])
    assert (job["wrapped"], job["error_class"]) == ("BillSubscriptionJob", "ActiveRecord::NotNullViolation")
    assert 'null value in column "billing_entity_id" of relation "invoices"' in job["error_message"]
    assert lago.sql(invoiced, name) == before


OLDER = 'PG::DuplicateObject: ERROR:  type "billable_metric_rounding_function" already exists'
GUIDE = "You are migrating from an old LAGO version, please follow the migration guide"


def test_the_release_that_folds_old_migrations_refuses_an_older_database(lago):
    name = lago.copy(lago.before, "too_old")
    ended = lago.run("v1.31.0", name, MIGRATE)
    assert (ended.status, OLDER in ended.log, lago.migrations(name)) == (1, True, "408 20241119110219")
    lago.sql("INSERT INTO schema_migrations VALUES ('20250120151959')", name)
    ended = lago.run("v1.31.0", name, MIGRATE)
    assert (ended.status, GUIDE in ended.log, OLDER in ended.log) == (1, True, False)


@pytest.mark.exhaustive
def test_the_folded_migration_makes_the_same_tables(lago):
    lago.sql("CREATE DATABASE folded", "lago")
    assert lago.migrations(lago.migrated("v1.31.0", "folded")) == "676 20250611083925"


@pytest.mark.exhaustive
def test_the_organization_is_filled_in_before_the_release_that_asks_for_it(lago):
    name = lago.copy(lago.whole, "walked")
    queues = next(lago.queues)
    assert lago.run("v1.29.0", name, MIGRATE, queues).status == 0
    assert lago.migrations(name) == "663 20250526133654"
    too_early = lago.copy(name, "too_early")
    ended = lago.run("v1.32.0", too_early, MIGRATE)
    assert 'constraint "charges_organization_id_null" of relation "charges" is violated' in ended.log
    assert (ended.status, lago.migrations(too_early).split()[1]) == (1, "20250627124016")

    task = lago.start("v1.29.0", name, "bundle exec rails migrations:fill_organization_id", queues)
    assert until(lambda: "remaining" in task.logs().decode(), PATIENCE), "it doesn't wait for the worker"
    worker = lago.start("v1.29.0", name, "./scripts/start.worker.sh", queues)
    assert task.wait(timeout=PATIENCE)["StatusCode"] == 0
    assert "All good" in task.logs().decode()
    lago.remove(worker)
    assert lago.run("v1.31.0", name, MIGRATE).status == 0
    assert lago.migrations(name) == "676 20250611083925"
    assert lago.run("v1.32.0", name, MIGRATE).status == 0
    assert lago.migrations(name) == "797 20250724104251"
    assert lago.run("v1.32.0", name, "bundle exec rails upgrade:perform_required_jobs").status == 0
