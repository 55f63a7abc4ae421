"""Each sign is red on the row that it is about, in a real PostgreSQL with Lago's tables, and silent on its neighbour."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs, money_signs, value_signs
from lago_acceptance.core.settings import Signs
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.scenarios.dedicated_organization import NAME
from tests.support.facts import container, facts
from tests.support.lago_tables import LagoTables, answers_of_cases, lago_tables, red_signs

pytestmark = pytest.mark.docker

NEW = [*vars(money_signs).values(), *vars(value_signs).values()]
ORGANIZATION = "(SELECT id FROM organizations LIMIT 1)"
CUSTOMER, PLAN, METRIC, SUBSCRIPTION, INVOICE, WALLET, ENDPOINT, FEE = (
    f"'00000000-0000-4000-8000-00000000000{digit}'" for digit in "12345678"
)


def ago(text: str) -> str:
    """SQL for the time so long ago, as Lago writes it."""
    return f"((now() AT TIME ZONE 'UTC') - interval '{text}')"


# What each case begins with: a customer with a subscription that was billed today.
HEALTHY = f"""
INSERT INTO customers (id, organization_id, external_id, sequential_id, slug, currency, created_at, updated_at)
VALUES ({CUSTOMER}, {ORGANIZATION}, 'customer', 1, 'ACM-1', 'USD', '2020-01-01', '2020-01-01');
INSERT INTO plans (id, organization_id, name, code, interval, amount_cents, amount_currency)
VALUES ({PLAN}, {ORGANIZATION}, 'plan', 'plan', 1, 4900, 'USD');
INSERT INTO billable_metrics (id, organization_id, name, code, aggregation_type)
VALUES ({METRIC}, {ORGANIZATION}, 'requests', 'requests', 0);
INSERT INTO subscriptions (id, customer_id, plan_id, external_id, status, subscription_at, started_at)
VALUES ({SUBSCRIPTION}, {CUSTOMER}, {PLAN}, 'subscription', 1, {ago("1 minute")}, {ago("1 minute")});
INSERT INTO wallets (id, customer_id, balance_currency, rate_amount) VALUES ({WALLET}, {CUSTOMER}, 'USD', 1);
INSERT INTO webhook_endpoints (id, organization_id, webhook_url)
VALUES ({ENDPOINT}, {ORGANIZATION}, 'https://user:word@hooks.example.com/path')"""


def invoice(status: int, age: str = "1 minute", **columns: str) -> str:
    """SQL for an invoice, made so long ago."""
    given = {
        "id": INVOICE,
        "organization_id": ORGANIZATION,
        "customer_id": CUSTOMER,
        "currency": "'USD'",
        "status": str(status),
        "issuing_date": f"{ago(age)}::date",
        "payment_due_date": f"{ago(age)}::date",
        "number": "'ACM-7'",
        "created_at": ago(age),
        "updated_at": ago("1 minute"),
        **columns,
    }
    return f"INSERT INTO invoices ({', '.join(given)}) VALUES ({', '.join(given.values())})"


def topup(age: str) -> str:
    """SQL for a pending top-up."""
    return f"""INSERT INTO wallet_transactions (id, wallet_id, status, transaction_type, amount, credit_amount, created_at)
               VALUES ({FEE}, {WALLET}, 0, 0, 5, 5, {ago(age)})"""


def billed_topup(payment_status: int) -> str:
    """SQL for a pending top-up with its invoice."""
    return ";".join(
        (
            topup("2 days"),
            invoice(1, payment_status=str(payment_status), payment_due_date="now()"),
            f"""INSERT INTO fees (invoice_id, subscription_id, fee_type, amount_cents, amount_currency, units,
                                  from_datetime, to_datetime, invoiceable_type, invoiceable_id)
                VALUES ({INVOICE}, {SUBSCRIPTION}, 'credit', 5, 'USD', 1, now(), now(), 'WalletTransaction', {FEE})""",
        )
    )


def webhook(status: int, age: str, times: int = 1) -> str:
    """SQL for webhooks."""
    return f"""INSERT INTO webhooks (webhook_endpoint_id, webhook_type, payload, endpoint, status, http_status, created_at,
                                     updated_at)
               SELECT {ENDPOINT}, 'invoice.created', '{{}}', 'url', {status}, 500, {ago(age)}, {ago(age)}
               FROM generate_series(1, {times})"""


def event(code: str = "requests", to: str = "'subscription'", at: str = "", age: str = "1 minute") -> str:
    """SQL for an event that came so long ago."""
    return f"""INSERT INTO events (organization_id, transaction_id, code, external_subscription_id, timestamp, created_at)
               VALUES ({ORGANIZATION}, gen_random_uuid(), '{code}', {to}, {at or ago(age)}, {ago(age)})"""


def events_of_days(first: int, last: int) -> str:
    """SQL for one event on each of some days ago."""
    return ";".join(event(age=f"{day * 24 - 12} hours") for day in range(first, last + 1))


def charge(model: int, properties: str) -> str:
    """SQL for a charge."""
    return f"""INSERT INTO charges (plan_id, billable_metric_id, charge_model, properties)
               VALUES ({PLAN}, {METRIC}, {model}, '{properties}')"""


def changed(table: str, change: str) -> str:
    """SQL that changes the one row of a table."""
    return f"UPDATE {table} SET {change}"


RANGES = '{"%s": [{"from_value": 0, "to_value": null}]}'
RED = {
    "no organization": ("no-organization", "TRUNCATE organizations CASCADE"),
    "an expired key": ("api-keys-expired", changed("api_keys", f"expires_at = {ago('1 hour')}")),
    "no key": ("api-keys-expired", "DELETE FROM api_keys"),
    "a top-up without an invoice": ("wallet-topups-pending", topup("2 days")),
    "a paid top-up": ("wallet-topups-pending", billed_topup(1)),
    "a draft of yesterday": ("invoices-draft-late", invoice(0, "1 day")),
    "a draft whose day is long past": (
        "invoices-draft-late",
        invoice(0, "1 hour", issuing_date="now()::date - 3"),
    ),
    "a draft after its grace period": (
        "invoices-draft-late",
        changed("customers", "invoice_grace_period = 3") + ";" + invoice(0, "4 days", issuing_date="now()"),
    ),
    "another time zone": ("invoices-of-other-day", invoice(1, timezone="'Asia/Tokyo'", payment_status="1")),
    "issued next week": (
        "invoices-of-other-day",
        invoice(1, payment_status="1", issuing_date="now()::date + 7"),
    ),
    "issued before it was made": (
        "invoices-of-other-day",
        invoice(1, payment_status="1", issuing_date="now()::date - 7"),
    ),
    "a failed payment": (
        "payments-failed",
        invoice(1, payment_status="2", payment_due_date="now()::date + 9"),
    ),
    "an overdue payment": (
        "payments-overdue",
        invoice(1, payment_overdue="true", payment_due_date="now()::date - 2"),
    ),
    "an overdue payment that isn't marked": (
        "payments-overdue",
        invoice(1, payment_due_date="now()::date - 2"),
    ),
    "active after its end": (
        "subscriptions-past-end",
        changed("subscriptions", f"ending_at = {ago('3 hours')}"),
    ),
    "a webhook that waits": ("webhooks-pending", webhook(0, "2 hours")),
    "a webhook of last week": ("webhooks-failed", webhook(2, "6 days")),
    "an endpoint that fails": ("webhook-endpoint-fails", webhook(2, "1 hour", 3)),
    "an event of tomorrow": ("events-in-future", event(at=ago("-1 day"))),
    "an event of 1970": ("events-in-future", event(at="'1970-01-01'")),
    "an unknown code": ("events-unknown-code", event("nothing")),
    "the code of a metric that was deleted before": (
        "events-unknown-code",
        event() + ";" + changed("billable_metrics", f"deleted_at = {ago('1 hour')}"),
    ),
    "an unknown subscription": ("events-unknown-subscription", event(to="'stranger'")),
    "no subscription": ("events-unknown-subscription", event(to="NULL")),
    "no usage since yesterday": ("usage-stopped", events_of_days(2, 9)),
    "a zone that nobody knows": ("timezone-unknown", changed("customers", "timezone = 'Mars/Olympus'")),
    "an empty zone": ("timezone-unknown", changed("customers", "timezone = ''")),
    "an organization's zone": ("timezone-unknown", changed("organizations", "timezone = 'europe/paris'")),
    "a customer's currency": ("currencies-unknown", changed("customers", "currency = 'XYZ'")),
    "a plan's currency": ("currencies-unknown", changed("plans", "amount_currency = 'usd'")),
    "an interval": ("plans-unusable", changed("plans", "interval = 9")),
    "a negative amount": ("plans-unusable", changed("plans", "amount_cents = -1")),
    "a billing time": ("subscriptions-unusable", changed("subscriptions", "billing_time = 2")),
    "active without a start": ("subscriptions-unusable", changed("subscriptions", "started_at = NULL")),
    "an aggregation": ("metrics-unusable", changed("billable_metrics", "aggregation_type = 4")),
    "a sum of nothing": ("metrics-unusable", changed("billable_metrics", "aggregation_type = 1")),
    "no model": ("charges-unusable", charge(8, "{}")),
    "no amount": ("charges-unusable", charge(0, "{}")),
    "an amount that is no number": ("charges-unusable", charge(0, '{"amount": "five"}')),
    "an amount with a fraction, no text": ("charges-unusable", charge(0, '{"amount": 0.05}')),
    "properties that are null": ("charges-unusable", charge(0, "null")),
    "properties that are a list": ("charges-unusable", charge(6, "[]")),
    "no size of a package": ("charges-unusable", charge(2, '{"amount": "5", "free_units": 1}')),
    "no ranges": ("charges-unusable", charge(1, "{}")),
    "no range": ("charges-unusable", charge(4, '{"volume_ranges": []}')),
    "no rate": ("charges-unusable", charge(3, '{"amount": "5"}')),
}
SILENT = {
    "healthy": "",
    "a draft in its grace period": changed("organizations", "invoice_grace_period = 3")
    + ";"
    + invoice(0, "2 days", issuing_date="now()::date + 1"),
    "a draft of two hours": invoice(0, "2 hours"),
    "a top-up of today": topup("23 hours"),
    "a top-up that waits for its payment": billed_topup(0),
    "paid by hand in time": invoice(1, "2 minutes", payment_due_date="now()::date + 3"),
    "a dispute that is lost": invoice(1, payment_status="2", payment_dispute_lost_at="now()"),
    "paid late": invoice(1, payment_status="1", payment_due_date="now()::date - 9"),
    "issued in another zone, changed since": invoice(
        1, "2 minutes", timezone="'Asia/Tokyo'", payment_status="1"
    )
    + ";"
    + changed("customers", "updated_at = now() AT TIME ZONE 'UTC'"),
    "ends tomorrow": changed("subscriptions", f"ending_at = {ago('-1 day')}"),
    "a webhook that waits its turn": webhook(0, "30 minutes"),
    "a webhook of last month": webhook(2, "8 days", 4),
    "webhooks that arrived": webhook(1, "1 hour", 4),
    "events": ";".join((event(), event(at=ago("-10 minutes")))),
    "an event of 1970, long ago": event(at="'1970-01-01'", age="9 days"),
    "an unknown code, long ago": event("nothing", age="2 days"),
    "the code of a metric that is deleted now": event()
    + ";"
    + changed("billable_metrics", f"deleted_at = {ago('0')}"),
    "usage until today": events_of_days(1, 8),
    "the suite's own organization": changed("organizations", f"name = '{NAME}'")
    + ";"
    + events_of_days(2, 9)
    + ";"
    + invoice(1, payment_status="2", payment_due_date="now()::date - 9"),
    "usage with a day without": events_of_days(2, 4) + ";" + events_of_days(6, 9),
    "zones": changed("customers", "timezone = 'Europe/Paris'")
    + ";"
    + changed("organizations", "timezone = 'Etc/UTC'"),
    "a key of a set": "INSERT INTO api_keys (organization_id, value, expires_at) "
    f"VALUES ({ORGANIZATION}, 'old', '2020-01-01')",
    "charges": ";".join(
        (
            charge(0, '{"amount": "0.05"}'),
            charge(0, '{"amount": 5}'),
            charge(1, RANGES % "graduated_ranges"),
            charge(2, '{"amount": "1e3", "free_units": 0, "package_size": 1}'),
            charge(3, '{"rate": 0.5}'),
            charge(4, RANGES % "volume_ranges"),
            charge(5, RANGES % "graduated_percentage_ranges"),
            charge(6, "{}"),
            charge(7, '"{}"'),
        )
    ),
}


@pytest.fixture(scope="module")
def tables():
    with lago_tables() as found:
        yield found


@pytest.fixture(scope="module")
def seen(tables: LagoTables):
    """What is answered in each case, in one session."""
    return answers_of_cases(
        tables, HEALTHY, {**{name: change for name, (_, change) in RED.items()}, **SILENT}
    )


@pytest.mark.parametrize("name", RED)
def test_a_row_that_should_not_be(name, seen):
    id, _ = RED[name]
    also = {"webhooks-failed"} if id == "webhook-endpoint-fails" else set()
    assert red_signs(seen[name]).keys() - also == {id}


@pytest.mark.parametrize("name", SILENT)
def test_a_row_that_may_be(name, seen):
    assert red_signs(seen[name]) == {}


def test_each_new_sign_has_a_row():
    new = {each.id for each in NEW if isinstance(each, billing_signs.BillingSign)}
    assert new | {"webhooks-failed"} == {id for id, _ in RED.values()}


def test_the_host_of_an_endpoint_is_shown_without_its_secrets(seen):
    problem = red_signs(seen["an endpoint that fails"])["webhook-endpoint-fails"]
    assert "hooks.example.com" in problem and "word" not in problem


def test_bounds_are_those_of_the_settings(tables):
    ((answers, error),) = tables.looks(f"{HEALTHY};{topup('2 days')}", bounds=Signs(topup_hours=72))
    assert (red_signs(answers), error) == ({}, "")


def test_a_table_that_another_version_lacks_leaves_its_signs_unknown(tables):
    ((answers, _),) = tables.looks(f"{HEALTHY};ALTER TABLE webhooks RENAME TO away")
    known = facts(container("db"), database=answers)
    for sign in (billing_signs.WEBHOOKS, money_signs.WEBHOOKS_PENDING, money_signs.ENDPOINTS):
        with pytest.raises(Unknown, match='relation "webhooks" does not exist'):
            list(billing_signs.of_database(known, sign))
