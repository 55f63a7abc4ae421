"""What scripts/upgrade.sql answers, and what it is asked."""

from __future__ import annotations

import pytest

from lago_acceptance.facts import upgrade
from lago_acceptance.facts.collect import ONLY, TOO, reading
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.upgrade import ABOUT, AT_LEAST, Amount, Part, Room, parsed
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.upgrades import Proof

ANSWERED = """\
applied\t["20220525122759", "20241119110219"]
size\t701652327
part\t{"key" : "fees: organization_id IS NULL", "way" : "index", "rows" : 999994, "analyzed" : true, "bytes" : 303415296}
part\t{"key" : "coupons: code IS NULL", "way" : "small", "rows" : 0, "analyzed" : false, "bytes" : 0}
part\t{"key" : "fixed_charges: code IS NULL", "way" : "no table", "rows" : 0, "analyzed" : null, "bytes" : null}
count\t{"key" : "fees: organization_id IS NULL", "open" : 1001, "all" : null}
count\t{"key" : "coupons: code IS NULL", "open" : 2, "all" : 9}
count\t{"key" : "fees: organization_id IS NULL", "null_share" : 0.25}
ERROR:  canceling statement due to statement timeout
seconds\t0.034
complete\ttrue
"""
DF = """\
Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/vda1 100 50 50 50% /
Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/vdb1 100 50 20 50% /var/lib/docker
"""


def test_answers_become_what_is_left():
    found = parsed(ANSWERED, DF)
    assert found.applied == ("20220525122759", "20241119110219") and found.size == 701652327
    assert found.rooms == (Room("/", 51200), Room("/var/lib/docker", 20480))
    fees = found.parts["fees: organization_id IS NULL"]
    assert (fees.left, fees.total) == (Amount(249_998, ABOUT), Amount(999_994, ABOUT))
    coupons = found.parts["coupons: code IS NULL"]
    assert (coupons.left, coupons.total) == (Amount(2), Amount(9))
    assert not found.parts["fixed_charges: code IS NULL"].there
    assert found.complete and found.seconds == 0.034 and "statement timeout" in found.error


def test_nothing_was_asked():
    assert parsed("", "") is None
    assert parsed("no DATABASE_URL", "").applied is None


@pytest.mark.parametrize(
    ("part", "left"),
    [
        (Part("", "holds"), Amount(0)),
        (Part("", "index", 10**6, True, 10**9, 0.0, 0), Amount(0)),
        (Part("", "index", 10**6, True, 10**9, 0.0, 1001), Amount(1000, AT_LEAST)),
        (Part("", "index", 10**6, True, 10**9, 0.0), None),
        (Part("", "index", 10**6, True, 10**9, 0.5), Amount(500_000, ABOUT)),
        (Part("", "sample", 10**6, True, 10**9, 0.0, 4, None, 10_000), Amount(4, AT_LEAST)),
        (Part("", "sample", 10**6, True, 10**9, 0.0, 0, None, 10_000), None),
        (Part("", "sample", 900, True, 10**9, 0.0, 0, None, 900), Amount(0)),
        (Part("", "no column"), None),
    ],
)
def test_zero_is_said_only_where_it_is_sure(part, left):
    assert part.left == left


def test_all_constraints_and_proofs_are_asked_about():
    text = render.script("upgrade.sql")
    for each in upgrades.constraints():
        assert not each.undone or f"'{each.table}: {each.undone}'" in text
    assert "-- " not in text
    done = Proof(says="", table="wallets", undone="state = 'paid' AND NOT traceable", columns=("traceable",))
    assert upgrade.as_values([done]) == (
        "('wallets: state = ''paid'' AND NOT traceable', 'wallets', '{traceable,state}'::text[], "
        "'state = ''paid'' AND NOT traceable')\n"
    )


def test_columns_that_a_condition_reads_must_be_there():
    asked = Proof(says="", table="wallet_transactions", undone="remaining_amount_cents < 0 OR state = 'paid'")
    assert upgrade.columns_of(asked) == ("remaining_amount_cents", "state")


def test_an_ordinary_look_asks_nothing_of_it():
    plain, asked, only = (reading(LocalHost(), upgrade=each).variables for each in ("", TOO, ONLY))
    assert plain["jobs"] == plain["upgrade_sql"] == ""
    assert asked["jobs"].startswith("DatabaseMigrations::") and "schema_migrations" in asked["upgrade_sql"]
    assert only["upgrade_sql"] == asked["upgrade_sql"] and asked["facts_sql"] == plain["facts_sql"]
    assert [each["upgrade"] for each in (plain, asked, only)] == ["", TOO, ONLY]
    for needed in ("pg_postmaster_start_time", "'transactions'", "'migrations'", "'tables'", "'complete'"):
        assert needed in only["facts_sql"]
    for costly in ("subscriptions_unbilled", "'sequences'", "'collations'", "-- server"):
        assert costly not in only["facts_sql"]
    assert "'sequences'" in plain["facts_sql"] and "'collations'" in plain["facts_sql"]
