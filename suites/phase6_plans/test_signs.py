"""Phase 6: subscriptions start on their day, and each period that ends has an invoice."""

from __future__ import annotations

import pytest

from lago_acceptance import signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase6]


def test_each_ended_period_of_a_subscription_has_an_invoice(facts, judge):
    judge(signs.of_database(facts, signs.UNBILLED))


def test_no_subscription_is_pending_beyond_its_day(facts, judge):
    judge(signs.of_database(facts, signs.PENDING))
