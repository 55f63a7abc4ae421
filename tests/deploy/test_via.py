"""An upgrade over its stops, on a host that bills: 1.16.0 → 1.25.0, where fees are filled in → 1.26.0."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lago_acceptance.core.waiting import until
from tests.support.containers import docker
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts
from tests.support.deploy.billed import put_every_kind
from tests.support.deploy.host import DeployableHost
from tests.support.patience import PATIENCE
from tests.support.standin.releases import tagged_releases

pytestmark = [pytest.mark.stack, pytest.mark.docker]

HAD, STOP, HAS = "v1.16.0", "v1.25.0", "v1.26.0"
SUMMED = {
    "invoices": ("currency", "total_amount_cents"),
    "fees": ("amount_currency", "amount_cents"),
    "credits": ("amount_currency", "amount_cents"),
    "credit_notes": ("credit_amount_currency", "credit_amount_cents"),
    "applied_coupons": ("amount_currency", "amount_cents"),
    "wallets": ("balance_currency", "balance_cents"),
    "wallet_transactions": ("'-'::text", "credit_amount"),
    "customers": ("external_id", "1"),
    "subscriptions": ("external_id", "1"),
    "events": ("external_subscription_id", "1"),
    "charges": ("id::text", "1"),
    "coupons": ("code", "1"),
}
SUMS = f"""SELECT json_agg(each ORDER BY each) FROM ({
    " UNION ALL ".join(
        f"SELECT '{table} ' || coalesce({by}, '-') || ' ' || count(*) || ' ' || coalesce(sum({amount}), 0) AS each FROM {table} GROUP BY {by}"
        for table, (by, amount) in SUMMED.items()
    )
}) AS kinds"""


@dataclass
class Upgrade:
    """A host that runs 1.16.0 with data, and a checkout of the same files with 1.26.0."""

    host: DeployableHost
    checkout: Path
    held: str
    fees: int

    def deploy(self, *arguments: str) -> command.Ended:
        """Deploy the checkout."""
        return command.deploy(self.host, self.checkout, *arguments)

    def runs(self, release: str) -> None:
        """The host runs a release, and holds what it has held from the beginning."""
        image = docker("inspect", "--format", "{{.Config.Image}}", self.host.container("lago-api"))
        assert image.strip().endswith(f":{release}")
        assert self.host.sql(SUMS) == self.held

    def filled(self, output: str) -> None:
        """Every fee that there was has got its organization."""
        rows = "1 row" if self.fees == 1 else f"{self.fees} rows"
        assert f"no row of fees without organization_id: {rows}, " in output, output[-8000:]
        unfilled = "SELECT count(*) FROM fees WHERE organization_id IS NULL OR billing_entity_id IS NULL"
        assert self.host.sql(unfilled) == "0"

    def bills(self) -> None:
        """Lago goes on to bill."""
        self.host.await_routes()
        self.host.put_data()


@pytest.fixture
def upgrade(breakable: DeployableHost, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Upgrade]:
    settings = breakable.settings.read_text()
    way = getattr(request, "param", (HAD, STOP, HAS))
    with tagged_releases() as tagged:
        running = {each: hosts.running(tagged.api(each), tagged.front(each)) for each in way}
        checkout = breakable.copy(tmp_path / "checkout")
        hosts.edit(checkout, running[way[-1]])
        hosts.edit(breakable.folder, running[HAD])
        breakable.up()
        breakable.await_routes()
        breakable.put_data()
        for currency in ("USD", "EUR"):
            put_every_kind(breakable.client(), currency)
        # A database of a later release can't be given back to the one of before.
        breakable.dump(tmp_path / "before.dump")
        breakable.settings.write_text(settings.replace(f'version = "{HAD}"', f'version = "{way[-1]}"'))
        try:
            held = breakable.sql(SUMS)
            assert [kind for kind in SUMMED if f'"{kind} ' not in held] == []
            fees = int(breakable.sql("SELECT count(*) FROM fees"))
            yield Upgrade(breakable, checkout, held, fees)
        finally:
            breakable.settings.write_text(settings)
            breakable.return_to(tmp_path / "before.dump")


def _pushed(upgrade: Upgrade, queue: str, kind: str) -> str:
    """Shell that puts a job into a queue, but not again at a later stop."""
    job = json.dumps(
        {
            "retry": True, "queue": queue, "wrapped": kind, "jid": "000000000000000000000001", "created_at": 1.0,
            "class": "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper",
            "args": [{"job_class": kind, "job_id": "1", "arguments": ["1"], "queue_name": queue, "executions": 0}],
        }
    )  # fmt: skip
    redis = f"docker exec {upgrade.host.container('lago-redis')} redis-cli"
    return f'[ -e "$state/upgrade" ] || {{ {redis} SADD queues {queue}; {redis} LPUSH queue:{queue} {shlex.quote(job)}; }} >/dev/null'


def test_a_walk_arrives_with_all_data(upgrade):
    with moments.ahead_of("change_dump", _pushed(upgrade, "billing", "SegmentIdentifyJob")):
        moved = _arrives(upgrade)
    assert "jobs moved to the queue default from billing, which no worker reads any more: 1" in moved
    assert upgrade.host.redis("LLEN", "queue:billing") == "0"


@pytest.mark.exhaustive
def test_a_walk_that_is_killed_goes_on_and_arrives(upgrade):
    with moments.running(upgrade.host, upgrade.checkout, "--via") as walking:
        walking.await_event("begin", "up")
        walking.kill()
    assert until(lambda: moments.lock_is_free(upgrade.host), 2 * PATIENCE)
    upgrade.runs(HAD)
    _arrives(upgrade)


LONGER = (HAD, STOP, "v1.29.0", "v1.32.0")


@pytest.mark.exhaustive
@pytest.mark.parametrize("upgrade", [LONGER], indirect=True)
def test_a_longer_walk_that_is_killed_at_each_stop_goes_on_and_arrives(upgrade):
    for stop in LONGER[1:-1]:
        with moments.running(upgrade.host, upgrade.checkout, "--via") as walking:
            walking.await_event("begin", "fill")
            walking.kill()
        assert until(lambda: moments.lock_is_free(upgrade.host), 2 * PATIENCE)
        one = upgrade.deploy("--via", "next")
        assert one.code == 0, one.output[-8000:]
        upgrade.runs(stop)
    upgrade.bills()
    upgrade.held = upgrade.host.sql(SUMS)
    ended = upgrade.deploy("--via")
    assert ended.code == 0, ended.output[-8000:]
    upgrade.runs(LONGER[-1])
    upgrade.bills()


def _arrives(upgrade: Upgrade) -> str:
    """What the walk has printed."""
    ended = upgrade.deploy("--via")
    assert ended.code == 0, ended.output[-8000:]
    assert "the upgrade to v1.26.0 is at v1.25.0" in ended.output
    upgrade.filled(ended.output)
    upgrade.runs(HAS)
    upgrade.bills()
    return ended.output


@pytest.mark.exhaustive
def test_one_stop_at_a_time_arrives(upgrade):
    first = upgrade.deploy("--via", "next")
    assert first.code == 0, first.output[-8000:]
    upgrade.runs(STOP)
    shown = command.run("status", upgrade.host)
    assert "upgrade from v1.16.0 to v1.26.0" in shown.output
    assert "at v1.25.0 since" in shown.output
    upgrade.bills()
    held = upgrade.host.sql(SUMS)
    second = upgrade.deploy("--via", "next")
    assert second.code == 0, second.output[-8000:]
    upgrade.held = held
    upgrade.runs(HAS)
    assert "upgrade from" not in command.run("status", upgrade.host).output


@pytest.mark.exhaustive
def test_a_stop_that_runs_already_is_dumped_and_filled_in(upgrade):
    runs = docker("inspect", "--format", "{{.Config.Image}}", upgrade.host.container("lago-api")).strip()
    hosts.edit(upgrade.host.folder, hosts.running(f"{runs.rpartition(':')[0]}:{STOP}"))
    upgrade.host.up()
    upgrade.host.await_routes()
    first = upgrade.deploy("--via", "next")
    assert first.code == 0, first.output[-8000:]
    upgrade.filled(first.output)
    upgrade.runs(STOP)
    [only_filled] = moments.folders(upgrade.host)
    assert {step for _, step in moments.journal(only_filled)} == {"dump", "fill", "mark", "-"}
    assert (only_filled / "backup" / "database.dump").stat().st_size
    second = upgrade.deploy("--via")
    assert second.code == 0, second.output[-8000:]
    upgrade.runs(HAS)
    upgrade.bills()


@pytest.fixture
def without_the_stop(upgrade: Upgrade) -> Upgrade:
    """The image of the stop can't be had."""
    runs = docker("inspect", "--format", "{{.Config.Image}}", upgrade.host.container("lago-api")).strip()
    docker("rmi", "--force", "--no-prune", f"{runs.rpartition(':')[0]}:{STOP}")
    return upgrade


@pytest.mark.exhaustive
def test_a_stop_without_an_image_is_worked_on_by_the_next_release(without_the_stop):
    # It waits where the jobs for filling in will, and is the old release's.
    waits = _pushed(without_the_stop, "low_priority", "SegmentIdentifyJob")
    with moments.ahead_of("change_ahead_work", waits):
        ended = without_the_stop.deploy("--via")
    assert ended.code == 0, ended.output[-8000:]
    assert "the image of v1.26.0 does the work of v1.25.0 before its own migrations" in ended.output
    without_the_stop.filled(ended.output)
    without_the_stop.runs(HAS)
    without_the_stop.bills()
    assert without_the_stop.host.redis("KEYS", "*aside*") == ""
    assert docker("ps", "-aq", "--filter", "name=lago-acceptance-ahead-").strip() == ""


@pytest.mark.exhaustive
def test_a_stop_without_an_image_that_fails_is_undone(without_the_stop):
    with moments.ahead_of("change_ahead_rest", "fail 'the disk broke'"):
        ended = without_the_stop.deploy("--via")
    assert ended.code == 1, ended.output[-8000:]
    assert "the worker for the jobs of v1.25.0 could not be ended: the disk broke" in ended.output
    without_the_stop.runs(HAD)
    without_the_stop.bills()
    assert without_the_stop.host.redis("KEYS", "*aside*") == ""


@pytest.mark.exhaustive
def test_red_checks_of_the_last_deploy_leave_the_last_stop(upgrade):
    # The checks of the last deploy expect another release.
    text = upgrade.host.settings.read_text()
    upgrade.host.settings.write_text(text.replace(f'version = "{HAS}"', f'version = "{STOP}"'))
    ended = upgrade.deploy("--via")
    assert ended.code == 1, ended.output[-8000:]
    upgrade.runs(STOP)
    upgrade.bills()


@pytest.mark.exhaustive
def test_a_jump_over_the_stop_fails_and_is_undone(upgrade):
    ended = command.deploy_despite(upgrade.host, upgrade.checkout)
    assert ended.code == 1, ended.output[-8000:]
    assert (
        'check constraint "fees_billing_entity_id_null" of relation "fees" is violated by some row'
        in ended.output
    )
    upgrade.runs(HAD)
    upgrade.bills()


@pytest.mark.exhaustive
def test_a_migration_that_waits_for_a_lock_names_who_holds_it(upgrade):
    database = upgrade.host.container("lago-db")
    with moments.ahead_of(
        "change_up",
        f"lock_seconds=2; docker exec -d {database} psql -U lago -d lago -c 'BEGIN; LOCK TABLE fees; SELECT pg_sleep(60)'; sleep 1",
    ):
        ended = upgrade.deploy("--via")
    assert ended.code == 1, ended.output[-8000:]
    assert "the migration has waited for 2 s for a lock on fees, which process " in ended.output
    upgrade.runs(HAD)
    upgrade.bills()
