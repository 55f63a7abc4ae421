"""Phase 5: invoices are made, have files, are paid, and are reported by webhooks."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs, money_signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase5]


def test_no_invoice_is_generating_for_long(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.GENERATING))


def test_no_invoice_has_failed(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.FAILED))


def test_finalized_invoices_have_a_file(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.WITHOUT_FILE))


def test_no_webhook_was_given_up(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.WEBHOOKS))


def test_no_draft_outlives_its_grace_period(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.DRAFTS))


def test_invoices_are_of_their_customers_day(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.OTHER_DAY))


def test_no_payment_has_failed(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.PAYMENTS_FAILED))


def test_no_payment_is_overdue(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.PAYMENTS_OVERDUE))


def test_no_wallet_top_up_is_pending_for_long(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.TOPUPS))


def test_no_webhook_waits_for_long(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.WEBHOOKS_PENDING))


def test_each_webhook_endpoint_takes_webhooks(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.ENDPOINTS))
