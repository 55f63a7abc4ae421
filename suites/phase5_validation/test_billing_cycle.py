"""Phase 5: a bill proves billing. Each check judges its part of one billing cycle."""

from __future__ import annotations

import pytest

from lago_acceptance.scenarios import cleanup

pytestmark = [pytest.mark.writes, pytest.mark.phase5]


def test_plan_metric_and_customer_can_be_made(billing_cycle):
    assert billing_cycle.prepared.value()["code"] == billing_cycle.names.plan


def test_a_customer_can_subscribe(billing_cycle):
    assert billing_cycle.subscribed.value()["plan_code"] == billing_cycle.names.plan


def test_subscribing_makes_an_invoice(billing_cycle):
    billing_cycle.first_invoice.value()


def test_the_invoices_pdf_can_be_fetched(billing_cycle):
    billing_cycle.file.value()


def test_usage_grows_when_events_come(billing_cycle):
    billing_cycle.grown.value()


def test_usage_beyond_the_allowance_is_priced(billing_cycle):
    billing_cycle.charged.value()


def test_webhooks_are_delivered_and_signed_by_the_served_key(billing_cycle):
    billing_cycle.webhooks.value()


def test_a_subscription_can_be_terminated(billing_cycle):
    billing_cycle.terminated.value()


def test_terminating_bills_the_usage(billing_cycle):
    billing_cycle.last_invoice.value()


def test_what_the_round_made_is_removed(billing_cycle):
    billing_cycle.removed.value()


def test_nothing_of_earlier_runs_is_left(swept, judge):
    judge(cleanup.nothing_is_left(swept))
