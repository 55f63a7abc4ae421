"""Phase 6: subscriptions start and end on their day, each period that ends has an invoice, and values can be billed."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs, money_signs, value_signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase6]


def test_each_ended_period_of_a_subscription_has_an_invoice(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.UNBILLED))


def test_no_subscription_is_pending_beyond_its_day(facts, judge):
    judge(billing_signs.of_database(facts, billing_signs.PENDING))


def test_no_subscription_is_active_after_its_end(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.PAST_END))


def test_each_time_zone_exists(facts, judge):
    judge(billing_signs.of_database(facts, value_signs.ZONES))


def test_each_currency_is_one_that_lago_takes(facts, judge):
    judge(billing_signs.of_database(facts, value_signs.CURRENCIES))


def test_each_plan_can_be_billed(facts, judge):
    judge(billing_signs.of_database(facts, value_signs.PLANS))


def test_each_subscription_can_be_billed(facts, judge):
    judge(billing_signs.of_database(facts, value_signs.SUBSCRIPTIONS))


def test_each_billable_metric_can_be_aggregated(facts, judge):
    judge(billing_signs.of_database(facts, value_signs.METRICS))


def test_each_charge_can_be_priced(facts, judge):
    judge(billing_signs.of_database(facts, value_signs.CHARGES))
