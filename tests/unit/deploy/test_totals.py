"""Rows and amounts before and after an upgrade."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.deploy import identity, totals
from lago_acceptance.deploy.totals import Amount, Totals

LINES = [
    "invoices\tUSD\t6\t24317",
    "fees\tEUR\t2\t0",
    "fees\tUSD\t7\t24317",
    "webhooks\t0\t3\t0",
    "webhooks\t1\t35\t0",
]
BEFORE = Totals({"customers": 7, "invoices": 6, "fees": 9}, totals.amounts(LINES))


def test_what_the_database_prints_is_read():
    assert BEFORE.amounts[0] == Amount("invoices", "USD", 6, 24317)
    assert len(BEFORE.amounts) == 3
    assert totals.webhooks(LINES) == 38
    assert totals.rows({"customers": "7", "size": "1", "migrations": "408"}) == {"customers": 7}


def test_the_same_is_no_problem():
    assert list(totals.problems(BEFORE, BEFORE, 0)) == []
    assert list(totals.explained(BEFORE, BEFORE, 5)) == []


def changed(**rows):
    return msgspec.structs.replace(BEFORE, rows=BEFORE.rows | rows)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (changed(customers=6), "lost 1 of 7 customers"),
        (changed(invoices=7), "added 1 of 6 invoices"),
        (changed(fees=8), "lost 1 of 9 fees"),
    ],
)
def test_a_row_more_or_less_is_a_problem(after, said):
    [problem] = totals.problems(BEFORE, after, 0)
    assert said in problem


def test_fees_that_a_migration_deletes_are_explained_and_no_more_of_them():
    amounts = tuple(
        msgspec.structs.replace(each, number=1) if each.currency == "EUR" else each for each in BEFORE.amounts
    )
    after = Totals(BEFORE.rows | {"fees": 8}, amounts)
    assert list(totals.problems(BEFORE, after, 1)) == []
    [said] = totals.explained(BEFORE, after, 1)
    assert said.startswith("1 fees without units and amount")
    assert len(list(totals.problems(BEFORE, changed(fees=7), 1))) == 1
    assert list(totals.explained(BEFORE, changed(fees=7), 1)) == []


def test_another_sum_is_a_problem_in_its_currency_alone():
    amounts = tuple(
        msgspec.structs.replace(each, cents=24316) if each.what == "invoices" else each
        for each in BEFORE.amounts
    )
    [problem] = totals.problems(BEFORE, Totals(BEFORE.rows, amounts), 9)
    assert "invoices in USD added up to 24317" in problem
    assert "24316 now" in problem


def test_a_currency_that_is_gone_is_a_problem():
    after = Totals(BEFORE.rows, tuple(each for each in BEFORE.amounts if each.currency != "EUR"))
    [problem] = totals.problems(BEFORE, after, 0)
    assert problem == "there were 2 fees in EUR before the upgrade, and there are 0 now"


def test_fees_are_dropped_only_by_a_migration_that_has_run():
    before = {"latest_migration": "20241119110219", "zero_fees": "3"}
    assert identity.dropped(before, {"latest_migration": "20250425130412"}) == 3
    assert identity.dropped(before, {"latest_migration": "20241216140931"}) == 0
