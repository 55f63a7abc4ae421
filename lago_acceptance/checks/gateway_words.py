"""How a gateway names the fields of its plans, and how they are quoted: an answer may hold anything of any length."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

# Plans in one message, characters of one value, and an amount that is none.
TOLD, LONGEST, _TOO_MUCH = 10, 100, 2**62

# What a gateway may call a field of a plan: the running one's name first, Lago's own last.
FIELDS = {
    "id": ("id", "lago_id"),
    "slug": ("slug", "plan_slug", "plan_code", "code"),
    "amount": ("amount", "amount_cents"),
    "currency": ("currency", "amount_currency"),
}


def field(plan: Document, name: str) -> Any:
    """A field of a shown plan, whatever it is called there; an amount in major units."""
    called = next((each for each in FIELDS.get(name, ()) if plan.get(each) is not None), name)
    value = plan.get(called)
    if called == "amount_cents" and isinstance(value, int | float) and abs(value) < _TOO_MUCH:
        return value / 100
    return value


def shown(document: Document, name: str) -> str:
    """A field for a message: the gateway's answer may hold anything of any length."""
    return str(field(document, name))[:LONGEST]


def names(plans: list[Document]) -> str:
    """The shown plans with their amounts, for a message."""
    return ", ".join(f"{shown(plan, 'slug')} {shown(plan, 'amount')}" for plan in plans[:TOLD])
