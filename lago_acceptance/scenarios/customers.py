"""A customer of this run, and a subscription of that customer."""

from __future__ import annotations

from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.scenarios.cleanup import Owner


def create(lago: Lago, owner: Owner, customer: str) -> None:
    """Create a customer that carries its owner's mark, so that a later run can find and remove it."""
    lago.create(
        "customers", "customer", {"external_id": customer, "name": customer, "legal_name": owner.mark}
    )


def subscribe(lago: Lago, customer: str, plan: str, **more: str) -> Document:
    """Subscribe a customer to a plan; ``more`` are further fields of the subscription. What Lago answered."""
    return lago.create(
        "subscriptions",
        "subscription",
        {
            "external_customer_id": customer,
            "external_id": f"{customer}-subscription",
            "plan_code": plan,
            **more,
        },
    )
