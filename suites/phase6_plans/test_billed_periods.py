"""Phase 6: subscriptions start on their day, and each period that ends has an invoice."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase6]


def test_each_ended_period_of_a_subscription_has_an_invoice(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.UNBILLED))


def test_no_subscription_is_pending_beyond_its_day(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.PENDING))
