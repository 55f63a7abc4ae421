"""Rows and amounts before and after an upgrade."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.deploy import totals
from lago_acceptance.deploy.totals import Amount

HELD = {"customers": "7", "invoices": "6", "fees": "9", "size": "1", "migrations": "408"}
LINES = [
    "invoices\tUSD\t6\t24317",
    "fees\tEUR\t2\t0",
    "fees\tUSD\t7\t24317",
    "payments\tUSD\t5\t9000",
    "rows\tcharges\t4\t0",
    "webhooks\t0\t3\t0",
    "webhooks\t1\t35\t0",
    "repeated\t\t2\t0",
]
BEFORE = totals.totals(HELD, LINES)


def test_what_the_database_prints_is_read():
    assert BEFORE.amounts[0] == Amount("invoices", "USD", 6, 24317)
    assert len(BEFORE.amounts) == 4
    assert BEFORE.rows == {"customers": 7, "invoices": 6, "fees": 9, "charges": 4}
    assert (BEFORE.webhooks, BEFORE.repeated) == (38, 2)


def test_the_same_is_no_problem():
    assert list(totals.problems(BEFORE, BEFORE, {})) == []
    assert list(totals.explained(BEFORE, BEFORE, {"fees": 5, "payments": 2})) == []


def changed(**rows):
    return msgspec.structs.replace(BEFORE, rows=BEFORE.rows | rows)


def with_amount(what, currency, **values):
    """The same but for one amount."""
    amounts = tuple(
        msgspec.structs.replace(each, **values) if (each.what, each.currency) == (what, currency) else each
        for each in BEFORE.amounts
    )
    return msgspec.structs.replace(BEFORE, amounts=amounts)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (changed(customers=6), "lost 1 of 7 customers"),
        (changed(invoices=7), "added 1 of 6 invoices"),
        (changed(fees=8), "lost 1 of 9 fees"),
        (changed(charges=3), "lost 1 of 4 charges"),
    ],
)
def test_a_row_more_or_less_is_a_problem(after, said):
    [problem] = totals.problems(BEFORE, after, {})
    assert said in problem


def test_fees_that_a_migration_deletes_are_explained_and_no_more_of_them():
    one = {"fees": 1}
    after = msgspec.structs.replace(with_amount("fees", "EUR", number=1), rows=BEFORE.rows | {"fees": 8})
    assert list(totals.problems(BEFORE, after, one)) == []
    [said] = totals.explained(BEFORE, after, one)
    assert said.startswith("fees without units and amount are gone: 1 ")
    after = msgspec.structs.replace(with_amount("fees", "EUR", number=0), rows=BEFORE.rows | {"fees": 7})
    assert len(list(totals.problems(BEFORE, after, one))) == 2
    assert list(totals.explained(BEFORE, after, one)) == []


def test_payments_that_a_migration_deletes_are_explained_with_their_amount():
    after = with_amount("payments", "USD", number=3, cents=5000)
    assert list(totals.problems(BEFORE, after, {"payments": 2})) == []
    [said] = totals.explained(BEFORE, after, {"payments": 2})
    assert said.startswith("payments with the provider's number of another one are gone: 2 ")
    [problem] = totals.problems(BEFORE, after, {"payments": 1})
    assert "the payments in USD added up to 9000" in problem


def test_a_fee_with_an_amount_is_never_meant():
    after = with_amount("fees", "USD", number=6, cents=24000)
    [problem] = totals.problems(BEFORE, after, {"fees": 1})
    assert "the fees in USD added up to 24317" in problem


def test_another_sum_is_a_problem_in_its_currency_alone():
    [problem] = totals.problems(BEFORE, with_amount("invoices", "USD", cents=24316), {"fees": 9})
    assert "invoices in USD added up to 24317" in problem
    assert "24316 now" in problem


def test_a_currency_that_is_gone_is_a_problem():
    after = msgspec.structs.replace(
        BEFORE, amounts=tuple(each for each in BEFORE.amounts if each.currency != "EUR")
    )
    [problem] = totals.problems(BEFORE, after, {})
    assert problem == "there were 2 fees in EUR before the upgrade, and there are 0 now"


@pytest.mark.parametrize(
    ("latest", "fees", "payments"),
    [("20241216140931", 0, 0), ("20250122112050", 3, 0), ("20250425130412", 3, 2)],
)
def test_only_a_migration_that_has_run_deletes(latest, fees, payments):
    held = {"latest_migration": "20241119110219", "zero_fees": "3"}
    found = totals.dropped(BEFORE, held, {"latest_migration": latest})
    assert found == {"fees": fees, "payments": payments}
