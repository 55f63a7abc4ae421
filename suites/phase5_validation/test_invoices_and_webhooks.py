"""Phase 5: invoices are made, have files, and are reported by webhooks."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase5]


def test_no_invoice_is_generating_for_long(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.GENERATING))


def test_no_invoice_has_failed(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.FAILED))


def test_finalized_invoices_have_a_file(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.WITHOUT_FILE))


def test_no_webhook_was_given_up(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.WEBHOOKS))
