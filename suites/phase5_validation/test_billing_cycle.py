"""Phase 5: a bill proves billing. Each check judges its part of one round."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.writes, pytest.mark.phase5]


def test_plan_metric_and_customer_can_be_made(billing_round):
    assert billing_round.prepared.value()["code"] == billing_round.names.plan


def test_a_customer_can_subscribe(billing_round):
    assert billing_round.subscribed.value()["plan_code"] == billing_round.names.plan


def test_subscribing_makes_an_invoice(billing_round):
    billing_round.first_invoice.value()


def test_the_invoices_pdf_can_be_fetched(billing_round):
    billing_round.file.value()


def test_usage_grows_when_events_come(billing_round):
    billing_round.grown.value()


def test_usage_beyond_the_allowance_is_priced(billing_round):
    billing_round.charged.value()


def test_webhooks_are_delivered_and_signed_by_the_served_key(billing_round):
    billing_round.hooks.value()


def test_a_subscription_can_be_terminated(billing_round):
    billing_round.terminated.value()


def test_terminating_bills_the_usage(billing_round):
    billing_round.last_invoice.value()


def test_what_the_round_made_is_removed(billing_round):
    billing_round.removed.value()


def test_nothing_of_earlier_runs_is_left(swept, judge):
    from lago_acceptance.core.findings import Finding

    judge(
        Finding(
            id="earlier-run-left",
            problem=f"an earlier run's {thing} can't be removed",
            impact="it stays in Lago until somebody removes it",
            fix="Lago deletes plans in the worker: see whether it runs, then remove it in the web UI",
        )
        for thing in swept
    )
