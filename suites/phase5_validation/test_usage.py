"""Phase 5: usage comes in, with dates, codes and subscriptions by which it can be billed."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs, money_signs

pytestmark = [pytest.mark.smoke, pytest.mark.phase5]


def test_there_is_an_organization(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.NO_ORGANIZATION))


def test_each_organization_has_a_valid_api_key(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.KEYS))


def test_no_event_is_dated_in_the_future_or_long_ago(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.EVENTS_ODD_TIME))


def test_events_have_codes_of_billable_metrics(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.UNKNOWN_CODES))


def test_events_name_subscriptions_that_exist(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.UNKNOWN_SUBSCRIPTIONS))


def test_usage_has_not_stopped(facts, judge):
    judge(billing_signs.of_database(facts, money_signs.USAGE_STOPPED))
