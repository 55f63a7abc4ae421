"""A customer who has everything that billing makes: charges, a coupon, a wallet, credits, a credit note."""

from __future__ import annotations

import secrets

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.waiting import until
from tests.support.patience import PATIENCE

EVENTS = 5


def put_every_kind(lago: Lago, currency: str) -> None:
    """Bill one in this currency, from subscribing over the end of the subscription to the last invoice."""
    name = f"billed-{secrets.token_hex(4)}"
    metric = lago.create(
        "billable_metrics",
        "billable_metric",
        {"name": name, "code": name, "aggregation_type": "sum_agg", "field_name": "count"},
    )
    charge = {
        "billable_metric_id": metric["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "1.5"},
    }
    lago.create(
        "plans",
        "plan",
        {
            "name": name,
            "code": name,
            "interval": "monthly",
            "amount_cents": 310000,
            "amount_currency": currency,
            "pay_in_advance": True,
            "charges": [charge],
        },
    )
    lago.create("customers", "customer", {"external_id": name, "name": name, "currency": currency})
    fixed = {"coupon_type": "fixed_amount", "amount_cents": 1000, "amount_currency": currency}
    # It has neither an amount nor a currency.
    percentage = {"coupon_type": "percentage", "percentage_rate": "10"}
    for number, values in enumerate((fixed, percentage)):
        coupon = {
            "name": name,
            "code": f"{name}-{number}",
            "frequency": "once",
            "expiration": "no_expiration",
        }
        lago.create("coupons", "coupon", coupon | values)
        applied = {"external_customer_id": name, "coupon_code": coupon["code"]}
        lago.create("applied_coupons", "applied_coupon", applied)
    subscription = {"external_customer_id": name, "external_id": name, "plan_code": name}
    lago.create("subscriptions", "subscription", subscription | {"billing_time": "anniversary"})
    for number in range(EVENTS):
        usage = {"transaction_id": f"{name}-{number}", "external_subscription_id": name, "code": name}
        lago.create("events", "event", usage | {"properties": {"count": 3}})
    await_invoices(lago, name, 1)
    # The first invoice would use all of it up.
    wallet = lago.create(
        "wallets",
        "wallet",
        {
            "external_customer_id": name,
            "name": name,
            "rate_amount": "2",
            "currency": currency,
            "granted_credits": "7",
            "paid_credits": "0",
        },
    )
    assert until(
        lambda: lago.get(f"wallets/{wallet['lago_id']}", "wallet")["balance_cents"] == 1400, PATIENCE
    )
    lago.terminate(name)
    await_invoices(lago, name, 2)


def await_invoices(lago: Lago, customer: str, number: int) -> None:
    """Wait until so many invoices of a customer are finalized and have their files, so that a dump lacks none."""

    def there() -> bool:
        found = lago.all("invoices", external_customer_id=customer, status="finalized")
        return len(found) == number and all(each["file_url"] for each in found)

    assert until(there, PATIENCE), f"not {number} finalized invoices with files for {customer}"
