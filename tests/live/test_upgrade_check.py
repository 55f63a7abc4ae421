"""What an upgrade needs, asked of a host that runs: by the command, and by the checks with the mark upgrade."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from lago_acceptance.core.resources import ROOT
from tests.support import suite_run
from tests.support.upgrade import applied, half

pytestmark = [pytest.mark.stack, pytest.mark.docker]

# As the migrations to 1.26.0 leave it that end on a fee without a billing entity.
HALF = f"""
BEGIN;
INSERT INTO schema_migrations SELECT unnest('{{{",".join(sorted({*half("v1.16.0", "v1.26.0", 83)} - {*applied("v1.16.0")}))}}}'::text[]);
ALTER TABLE fees ADD organization_id uuid, ADD billing_entity_id uuid;
CREATE INDEX ON fees (organization_id);
SET LOCAL session_replication_role = replica;
INSERT INTO fees (subscription_id, fee_type, amount_cents, amount_currency, units, from_datetime, to_datetime)
SELECT gen_random_uuid(), 'half', 0, 'EUR', 0, now(), now() FROM generate_series(1, 7);
ALTER TABLE fees ADD CONSTRAINT not_yet CHECK (organization_id IS NOT NULL) NOT VALID;
ALTER TABLE charges ADD organization_id uuid DEFAULT gen_random_uuid();
ALTER TABLE charges ADD CONSTRAINT already CHECK (organization_id IS NOT NULL);
COMMIT;
"""
WHOLE = """
BEGIN;
DELETE FROM fees WHERE fee_type = 'half';
ALTER TABLE fees DROP organization_id, DROP billing_entity_id;
ALTER TABLE charges DROP organization_id;
DELETE FROM schema_migrations WHERE version > '20241119110219' OR version = ANY ('{%s}');
COMMIT;
"""


def checked(lago, *arguments: str) -> subprocess.CompletedProcess[str]:
    server = lago.server
    command = [sys.executable, "-m", "lago_acceptance", "upgrade-check", server.url, *arguments]
    where = ["--ssh-config", str(server.ssh_config), "--settings", str(lago.folder / "settings.toml")]
    return subprocess.run(
        [*command, *where],
        check=False,
        cwd=ROOT,
        env=suite_run.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def half_migrated(live_lago):
    had = live_lago.sql("SELECT string_agg(version, ',') FROM schema_migrations").split(",")
    new = {*half("v1.16.0", "v1.26.0", 83)} - {*applied("v1.16.0")}
    live_lago.sql(HALF)
    yield live_lago
    live_lago.sql(WHOLE % ",".join(new - {*had}))


DIED = json.dumps(
    {
        "class": "Sidekiq::ActiveJob::Wrapper",
        "wrapped": "DatabaseMigrations::PopulateFeesWithBillingEntityIdJob",
        "error_message": "PG::Boom",
    }
)


@pytest.fixture
def filling_job_died(live_lago):
    live_lago.redis("ZADD", "dead", str(int(time.time())), DIED)
    yield live_lago
    live_lago.redis("ZREM", "dead", DIED)


def test_a_healthy_host_is_ready_for_the_next_stop_and_knows_what_is_ahead(filling_job_died):
    live_lago = filling_job_died
    ended = checked(live_lago, "v1.26.0")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0] == (
        "this database is at v1.16.0's schema, and ready for v1.25.0, the next release on the way to v1.26.0"
    )
    [told] = (line for line in lines if line.startswith("["))
    assert (
        "[upgrade-job-dead]" in told
        and "1 DatabaseMigrations::PopulateFeesWithBillingEntityIdJob died" in told
        and "PG::Boom" in told
    )
    assert "it is of a later release than this database's" in ended.stdout
    [ahead] = (line for line in lines if "fees.organization_id" in line)
    assert "the column comes on the way, with v1.17.0" in ahead
    assert "PostgreSQL took" in lines[-1]


def test_a_schema_between_two_releases_is_the_one_cause(half_migrated, tmp_path):
    ended = checked(half_migrated, "v1.32.0", "--json")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    [cause] = found["findings"]
    assert cause["id"] == "upgrade-half-migrated" and "between v1.25.0 and v1.26.0" in cause["problem"]
    assert "lack a billing entity (fees.billing_entity_id)" in cause["problem"]
    fees = {each["column"]: each for each in found["ahead"] if each["table"] == "fees"}
    assert fees["organization_id"]["left"]["number"] >= 7, (
        "a constraint that was not validated proves nothing"
    )
    [charges] = (each for each in found["ahead"] if each["table"] == "charges")
    assert (charges["left"], charges["state"]) == (
        {"number": 0, "kind": "exact"},
        "held by a constraint already",
    )
    assert found["seconds"] and not found["unjudged"]
    run = suite_run.run(tmp_path, "-m", "upgrade", *half_migrated.options)
    assert run.code == 1 and run.red() == {"upgrade-half-migrated"}, run.output
    assert len(run.summary["checks"]) == 5
