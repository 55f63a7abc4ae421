"""A live round of billing: in an organization of the suite's own, with --allow-writes only, production's
untouched.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from lago_acceptance.core import run
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios import dedicated_organization
from lago_acceptance.scenarios.cleanup import Owner
from tests.support import suite_run
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]

CHECKS = ("-m", "(phase4 or phase5 or phase6) and not browser and not nightly")
WRITES = (*CHECKS, "--allow-writes")
TABLES = """SELECT json_agg(table_name) FROM information_schema.tables
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""
OWN = f"(SELECT id FROM organizations WHERE name = '{dedicated_organization.NAME}')"
LEFT = f"""SELECT (SELECT count(*) FROM customers WHERE organization_id IN {OWN} AND deleted_at IS NULL)
                + (SELECT count(*) FROM plans
                   WHERE organization_id IN {OWN} AND deleted_at IS NULL AND code LIKE 'lago-%')
                + (SELECT count(*) FROM billable_metrics
                   WHERE organization_id IN {OWN} AND deleted_at IS NULL AND code LIKE 'lago-%')
                + (SELECT count(*) FROM webhook_endpoints WHERE organization_id IN {OWN})"""


def rows(live_lago) -> dict[str, list[dict]]:
    """Every row of every table. When a key was last used is Lago's own bookkeeping."""
    found = {}
    for table in json.loads(live_lago.sql(TABLES)):
        text = live_lago.sql(f"SELECT coalesce(json_agg(to_jsonb(t)), '[]') FROM {table} t")
        found[table] = [
            {name: value for name, value in row.items() if name != "last_used_at"} for row in json.loads(text)
        ]
    return found


@pytest.fixture(scope="module")
def written(live_lago, tmp_path_factory):
    """Two runs without and with the option: the rows around them."""
    folder = tmp_path_factory.mktemp("writes")
    before = rows(live_lago)
    looked = suite_run.run(folder / "looked", *CHECKS, *live_lago.options)
    between = rows(live_lago)
    live_lago.server.forget_commands()
    wrote = suite_run.run(folder / "wrote", *WRITES, *live_lago.options)
    return looked, wrote, before, between, rows(live_lago), live_lago.server.commands()


def test_without_the_option_nothing_is_written(written):
    looked, _, before, between, _, _ = written
    assert looked.code == 0, looked.output
    assert before == between
    reasons = {
        check["reason"]
        for check in looked.summary["checks"]
        if check["name"].endswith("a_customer_can_subscribe")
    }
    assert len(reasons) == 1 and "--allow-writes" in reasons.pop()


def test_with_the_option_the_whole_round_is_made(written):
    wrote = written[1]
    assert wrote.code == 0, wrote.output
    assert {
        "test_a_customer_can_subscribe",
        "test_subscribing_makes_an_invoice",
        "test_the_invoices_pdf_can_be_fetched",
        "test_usage_grows_when_events_come",
        "test_terminating_bills_the_usage",
        "test_what_the_round_made_is_removed",
        "test_every_plan_can_be_subscribed_to",
        "test_seeding_twice_changes_nothing",
    } <= set(wrote.checks("passed"))
    assert "Traceback" not in wrote.output


def test_what_would_write_into_productions_organization_is_unknown(written):
    unknown = written[1].checks("unknown", 4)
    assert "test_the_gateway_lists_a_plan_that_only_this_run_knows" in unknown
    assert "test_what_the_gateway_says_it_created_exists_in_lago" in unknown


def test_productions_rows_are_as_they_were(written):
    _, _, _, before, after, _ = written
    for table, held in before.items():
        assert [row for row in held if row not in after[table]] == [], table


def test_what_is_new_belongs_to_the_organization_of_the_suites_own(written, live_lago):
    _, _, _, before, after, _ = written
    own = [each["id"] for each in after["organizations"] if each["name"] == dedicated_organization.NAME]
    assert len(own) == 1
    new = {table: [row for row in after[table] if row not in before[table]] for table in after}
    owners = {row["organization_id"] for each in new.values() for row in each if row.get("organization_id")}
    assert owners == set(own)
    assert len(new["invoices"]) >= 2 and len(new["events"]) >= 2
    assert live_lago.sql(LEFT) == "0"


def test_what_lago_can_not_delete_is_said(written):
    told = " ".join(written[1].summary["notes"])
    assert dedicated_organization.NAME in told and "finalized invoices" in told


def test_no_secret_is_in_a_command_or_a_report(written, live_lago):
    key = live_lago.sql(f"SELECT value FROM api_keys WHERE organization_id IN {OWN}")
    assert len(key) == 36
    told = " ".join(written[5]) + written[1].output
    told += "".join(
        path.read_text("utf-8", "replace") for path in written[1].reports.rglob("*") if path.is_file()
    )
    assert key not in told


def test_the_next_run_makes_no_second_organization_or_key(written, live_lago, tmp_path):
    keys = f"(SELECT count(*) FROM api_keys WHERE organization_id IN {OWN})"
    count = f"SELECT (SELECT count(*) FROM organizations), {keys}"
    before = live_lago.sql(count)
    again = suite_run.run(
        tmp_path, "-k", "test_every_plan_can_be_subscribed_to", "--allow-writes", *live_lago.options
    )
    assert again.code == 0, again.output
    assert live_lago.sql(count) == before


def test_what_a_killed_run_left_is_swept_and_nothing_else(written, live_lago, tmp_path):
    # The same name and mark in production's organization: nobody looks there, so nobody removes it there.
    gone = Owner("20200101-000000-abcdef", Owner.of(run.Run("x", tmp_path, tmp_path)).machine, "999999999-1")
    name = f"{run.PREFIX}{gone.run}-customer"
    production = live_lago.lago
    production.create("customers", "customer", {"external_id": name, "name": name, "legal_name": gone.mark})
    process = subprocess.Popen(
        suite_run.command("--reports", str(tmp_path / "killed"), *WRITES, *live_lago.options),
        cwd=ROOT,
        env=suite_run.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert until(lambda: int(live_lago.sql(LEFT)) >= 3, PATIENCE)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    assert int(live_lago.sql(LEFT)) >= 3
    swept = suite_run.run(
        tmp_path, "-k", "test_nothing_of_earlier_runs_is_left", "--allow-writes", *live_lago.options
    )
    assert swept.code == 0, swept.output
    assert "removed from Lago what an earlier run had left" in swept.output
    assert live_lago.sql(LEFT) == "0"
    assert production.find(f"customers/{name}", "customer")
    production.delete(f"customers/{name}")


def test_a_gateway_that_answers_and_is_not_told_from_other_containers_is_unknown(live_lago, tmp_path):
    settings = tmp_path / "settings.toml"
    network = live_lago.stack.network("gateway")
    settings.write_text(
        (live_lago.folder / "settings.toml").read_text().replace(f'"{network}"', '"of-no-gateway"')
    )
    given = [*live_lago.options, "--settings", str(settings)]
    result = suite_run.run(tmp_path / "reports", "-m", "phase4 and smoke", *given)
    assert "gateway-down" not in result.red(), result.output
    reasons = {check["name"].rpartition("::")[2]: check["reason"] for check in result.summary["checks"]}
    assert (
        "lago-acceptance.role=gateway"
        in reasons["test_the_gateway_runs_on_the_network_that_it_shares_with_lago"]
    )
    assert "lago-acceptance.role=gateway" in reasons["test_lago_accepts_the_gateways_key"]
