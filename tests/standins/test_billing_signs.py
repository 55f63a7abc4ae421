"""Each of the first signs is red on the row that it is about, in a real PostgreSQL with Lago's tables, and silent on others."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import value_signs
from tests.support.lago_tables import AnswersOfCases, answers_of_cases, lago_tables, red_signs

pytestmark = pytest.mark.docker

CUSTOMER, PLAN = "00000000-0000-4000-8000-00000000000c", "00000000-0000-4000-8000-00000000000a"
AGO = "(now() AT TIME ZONE 'UTC') - interval"
# What each case begins with.
HEALTHY = f"""
INSERT INTO customers (id, organization_id, external_id, sequential_id, slug)
SELECT '{CUSTOMER}', id, 'sign', 900, 'SIG-900' FROM organizations LIMIT 1;
INSERT INTO plans (id, organization_id, name, code, interval, amount_cents, amount_currency)
SELECT '{PLAN}', id, 'sign', 'sign', 1, 4900, 'USD' FROM organizations LIMIT 1"""


def invoice(status: int, age: str, updated: str = "") -> str:
    """SQL that makes an invoice."""
    return f"""INSERT INTO invoices (organization_id, customer_id, issuing_date, payment_due_date,
                                     currency, status, created_at, updated_at)
               SELECT id, '{CUSTOMER}', now(), now(), 'USD', {status}, {AGO} '{age}', {AGO} '{updated or age}'
               FROM organizations LIMIT 1"""


def subscription(status: int, at: str, billing_time: int = 0, interval: int = 1, made: str = "") -> str:
    """SQL that makes a subscription; ``at`` is when it begins and ``made`` when it was made, as SQL."""
    return f"""UPDATE plans SET interval = {interval} WHERE id = '{PLAN}';
               INSERT INTO subscriptions (customer_id, plan_id, external_id, status, billing_time,
                                          subscription_at, started_at, created_at)
               VALUES ('{CUSTOMER}', '{PLAN}', 'sign', {status}, {billing_time}, {at},
                       {"NULL" if status == 0 else at}, {made or at})"""


# From 1.33.4 on; the fifth is one that no version knows yet.
SEMIANNUAL, LATER = 4, 5
HALF = """(date_trunc('year', now() AT TIME ZONE 'UTC')
  + CASE WHEN extract(month FROM now() AT TIME ZONE 'UTC') > 6 THEN interval '6 months' ELSE '0' END)"""


FILE = f"""INSERT INTO active_storage_blobs (key, filename, service_name, byte_size)
VALUES ('sign', 'sign.pdf', 'local', 1);
INSERT INTO active_storage_attachments (name, record_type, record_id, blob_id)
SELECT 'file', 'Invoice', invoices.id, active_storage_blobs.id FROM invoices, active_storage_blobs
WHERE customer_id = '{CUSTOMER}' AND key = 'sign'"""
WEBHOOK = f"""INSERT INTO webhook_endpoints (organization_id, webhook_url)
SELECT id, 'http://sign.invalid' FROM organizations LIMIT 1;
INSERT INTO webhooks (webhook_endpoint_id, webhook_type, payload, endpoint, status, http_status, updated_at)
SELECT id, 'sign', '{{}}', webhook_url, 2, 500, {AGO} '%s'
FROM webhook_endpoints WHERE webhook_url = 'http://sign.invalid'"""

RED = {
    "generating for 20 minutes": ("invoices-generating", invoice(3, "20 minutes")),
    "failed": ("invoices-failed", invoice(4, "1 minute")),
    "finalized without a file": ("invoices-without-file", invoice(1, "20 minutes")),
    "calendar period without invoice": ("subscriptions-unbilled", subscription(1, f"{AGO} '70 days'")),
    "anniversary period without invoice": ("subscriptions-unbilled", subscription(1, f"{AGO} '70 days'", 1)),
    "half a year without invoice": (
        "subscriptions-unbilled",
        subscription(1, f"{AGO} '190 days'", 0, SEMIANNUAL),
    ),
    "half a year from its day without invoice": (
        "subscriptions-unbilled",
        subscription(1, f"{AGO} '190 days'", 1, SEMIANNUAL),
    ),
    "pending beyond its day": ("subscriptions-pending", subscription(0, f"{AGO} '3 days'")),
    "webhook given up": ("webhooks-failed", WEBHOOK % "1 hour"),
}
SILENT = {
    "generating for 10 minutes": invoice(3, "10 minutes"),
    "finalized 5 minutes ago": invoice(1, "5 minutes"),
    "of an earlier time": invoice(1, "90 days"),
    "finalized with a file": invoice(1, "20 minutes") + ";" + FILE,
    "draft": invoice(0, "2 hours"),
    "began a minute ago": subscription(1, f"{AGO} '1 minute'"),
    "in its first anniversary period": subscription(1, f"{AGO} '20 days'", 1),
    "terminated": subscription(2, f"{AGO} '70 days'"),
    "made now, began in the past": subscription(1, f"{AGO} '70 days'", made=f"{AGO} '1 minute'"),
    "in its half year": subscription(1, f"{HALF} + interval '1 hour'", 0, SEMIANNUAL),
    "in the half year of its day": subscription(1, f"{AGO} '170 days'", 1, SEMIANNUAL),
    "pending until a later day": subscription(0, "(now() AT TIME ZONE 'UTC') + interval '3 days'"),
    "billed": subscription(1, f"{AGO} '70 days'")
    + ";"
    + invoice(4, "1 minute").replace(", 4,", ", 6,")
    + ";INSERT INTO invoice_subscriptions (invoice_id, subscription_id, invoicing_reason, "
    '"timestamp") '
    "SELECT invoices.id, subscriptions.id, 'subscription_periodic', now() AT TIME ZONE 'UTC' "
    "FROM invoices, subscriptions WHERE subscriptions.external_id = 'sign' AND invoices.status = 6",
    "webhook of last week": WEBHOOK % "8 days",
}
# An interval that no version knows: its plan is reported, and nothing is guessed about its periods.
UNKNOWN = {
    "by the calendar": subscription(1, f"{AGO} '900 days'", 0, LATER),
    "from its day": subscription(1, f"{AGO} '900 days'", 1, LATER),
}


@pytest.fixture(scope="module")
def seen() -> AnswersOfCases:
    """What is answered in each case, in one session."""
    cases = {**{name: change for name, (_, change) in RED.items()}, **SILENT, **UNKNOWN}
    with lago_tables() as tables:
        return answers_of_cases(tables, HEALTHY, cases)


@pytest.mark.parametrize("name", RED)
def test_a_row_that_should_not_be(name, seen):
    assert red_signs(seen[name]).keys() == {RED[name][0]}


@pytest.mark.parametrize("name", SILENT)
def test_a_row_that_may_be(name, seen):
    assert red_signs(seen[name]) == {}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_subscription_of_an_interval_that_is_not_known_is_not_called_unbilled(name, seen):
    assert red_signs(seen[name]).keys() == {value_signs.PLANS.id}
