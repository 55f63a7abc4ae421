"""Phase 6: subscriptions end on their day, and Lago can work with the values in its tables."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs, money_signs, value_signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase6]


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
