"""What Lago's objects must be like for the suite to work with them; members that it does not use are not named."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

# Beyond 64 bits an amount is none, and can't be compared with one.
Cents = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
# Numbers are often texts: "3.0".
Units = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,30}(\.[0-9]{1,30})?\Z")] | Cents | float
# What may be sent in a header.
HeaderValue = Annotated[str, msgspec.Meta(pattern=r"^[!-~]+\Z", max_length=8192)]


class _Charge(msgspec.Struct):
    lago_id: str
    billable_metric_code: str
    charge_model: str
    properties: dict[str, Any]


class _Plan(msgspec.Struct):
    lago_id: str
    code: str
    amount_cents: Cents
    amount_currency: str
    description: str | None = None
    charges: list[_Charge] | None = None


class _Metric(msgspec.Struct):
    lago_id: str
    code: str
    description: str | None = None


class _Customer(msgspec.Struct):
    external_id: str
    legal_name: str | None = None


class _WebhookEndpoint(msgspec.Struct):
    lago_id: str
    webhook_url: str | None = None


class _Subscription(msgspec.Struct):
    external_id: str
    plan_code: str
    status: str
    lago_id: str | None = None


class _Invoice(msgspec.Struct):
    lago_id: str
    status: str
    currency: str
    fees_amount_cents: Cents
    total_amount_cents: Cents
    file_url: str | None = None


class _Code(msgspec.Struct):
    code: str


class _ChargeUsage(msgspec.Struct):
    units: Units
    amount_cents: Cents
    billable_metric: _Code


class _Usage(msgspec.Struct):
    charges_usage: list[_ChargeUsage]


class _Organization(msgspec.Struct):
    name: str


class _Webhook(msgspec.Struct):
    public_key: str


_SHAPES: dict[str, Any] = {
    "plan": _Plan,
    "billable_metric": _Metric,
    "customer": _Customer,
    "webhook_endpoint": _WebhookEndpoint,
    "subscription": _Subscription,
    "invoice": _Invoice,
    "customer_usage": _Usage,
    "organization": _Organization,
    "webhook": _Webhook,
}


def of(kind: str) -> Any:
    """The shape of one object of a kind, such as ``plan``; any object for a kind without a shape."""
    return _SHAPES.get(kind, dict[str, Any])


def listed(collection: str) -> Any:
    """The shape of a list, such as ``plans``."""
    return list[of(collection.removesuffix("s"))]  # type: ignore[misc]


def trouble(value: Any, shape: Any) -> str:
    """What keeps a value from having a shape, in a few words; "" if it has it."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        return str(error)[:200]
    return ""
