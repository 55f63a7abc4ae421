"""What findings mean for billing."""

from __future__ import annotations

import pytest

from lago_acceptance.core import registry
from lago_acceptance.core.consequences import STOPS_BILLING, STOPS_BY_ROLE, TIMING, stops_billing
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity


@pytest.mark.parametrize("ids", [STOPS_BILLING, STOPS_BY_ROLE, TIMING])
def test_every_id_is_registered(ids):
    assert ids - registry.entries().keys() == set()


def test_a_warning_stops_nothing():
    severities = {registry.entries()[id].severity for id in STOPS_BILLING | STOPS_BY_ROLE}
    assert severities == {Severity.ERROR}


@pytest.mark.parametrize(
    "id",
    [
        "no-clock-service",
        "no-worker-service",
        "database-refuses-lago",
        "redis-refuses-lago",
        "queue-without-reader",
        "worker-not-listening",
        "gateway-key-refused",
        "rsa-key-absent",
        "rsa-pem-absent",
        "api-unhealthy",
        "migrate-failed",
        "schema-not-the-images",
        "not-brought-up",
    ],
)
def test_without_these_no_invoice_is_made(id):
    assert id in STOPS_BILLING


@pytest.mark.parametrize(
    "id",
    [
        "certificate-expires",
        "front-api-url",
        "http-not-redirected",
        "image-not-pinned",
        "log-too-big",
        "name-absent",
        "plan-drift",
        "port-open",
        "rsa-pem-readable-by-others",
        "signup-open",
        "webhooks-failed",
    ],
)
def test_these_are_faults_beside_which_invoices_are_made(id):
    assert id not in STOPS_BILLING | STOPS_BY_ROLE


@pytest.mark.parametrize(
    "id", ["queue-stuck", "schedule-late", "service-down", "api-slow", "host-unanswered"]
)
def test_these_may_be_gone_a_minute_later(id):
    assert id in TIMING


@pytest.mark.parametrize(
    "id", ["no-clock-service", "plan-drift", "certificate-expired", "rsa-pem-absent", "dump-old"]
)
def test_these_stay(id):
    assert id not in TIMING


@pytest.mark.parametrize(
    ("role", "stops"),
    [("worker", True), ("db", True), ("clock", True), ("front", False), ("pdf", False), (None, True)],
)
def test_a_service_that_is_down_stops_billing_where_it_does_the_work(role, stops):
    down = Finding(id="service-down", role=role, problem="p", impact="i", fix="f")
    assert stops_billing(down) is stops
