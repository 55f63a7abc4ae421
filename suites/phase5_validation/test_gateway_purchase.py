"""Phase 5: a purchase through the gateway, as customers make it."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.gateway_log import told

pytestmark = [pytest.mark.writes, pytest.mark.phase5]


def test_the_gateway_shows_the_subscription(through_gateway, inside_now):
    told(through_gateway.seen, inside_now).value()


def test_the_gateway_shows_the_invoice(through_gateway, inside_now):
    told(through_gateway.invoiced, inside_now).value()


def test_the_gateway_shows_the_usage(through_gateway, inside_now):
    told(through_gateway.used, inside_now).value()


def test_a_change_of_plan_leaves_one_subscription(through_gateway, inside_now):
    told(through_gateway.changed, inside_now).value()


def test_the_gateway_sells_no_plan_of_its_own(through_gateway, inside_now):
    told(through_gateway.own_plan, inside_now).value()


def test_the_tenants_customer_is_removed(through_gateway):
    through_gateway.removed.value()
