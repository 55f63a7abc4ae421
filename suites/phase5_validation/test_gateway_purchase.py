"""Phase 5: a purchase through the gateway, as customers make it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.writes, pytest.mark.phase5]


def test_the_gateway_shows_the_subscription(through_gateway):
    through_gateway.seen.value()


def test_the_gateway_shows_the_invoice(through_gateway):
    through_gateway.invoiced.value()


def test_the_gateway_shows_the_usage(through_gateway):
    through_gateway.used.value()


def test_the_tenants_customer_is_removed(through_gateway):
    through_gateway.removed.value()
