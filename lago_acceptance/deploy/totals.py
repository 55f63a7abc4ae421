"""Rows and amounts of a database before and after an upgrade: equal, or the difference is explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from lago_acceptance.deploy import identity

FEES, PAYMENTS = "fees", "payments"
# The migration (v1.22.0) that deletes payments with the provider's number of another one.
DROPS_REPEATED_PAYMENTS = "20250220085848"
_NO_AMOUNTS = ("rows", "webhooks", "repeated")


class Amount(msgspec.Struct, frozen=True):
    """How many invoices, fees, credit notes and so on of a currency there are, and their sum in its smallest unit."""

    what: str
    currency: str
    number: int
    cents: int


class Totals(msgspec.Struct, frozen=True):
    """Rows by table, and amounts. ``repeated`` payments have the provider's number of another one."""

    rows: dict[str, int] = {}
    amounts: tuple[Amount, ...] = ()
    webhooks: int = 0
    repeated: int = 0


def totals(values: Mapping[str, str], lines: Iterable[str]) -> Totals:
    """Of what ``identity`` of shell/dump.part.sh and ``ask_sums`` of shell/walk.part.sh print."""
    counted = {name: identity.number(values, name) for name in identity.COUNTED if name in values}
    read = [
        (row[0], row[1], int(row[2]), int(row[3]))
        for row in (line.split("\t") for line in lines)
        if len(row) == 4
    ]
    return Totals(
        counted | {table: number for what, table, number, _ in read if what == "rows"},
        tuple(Amount(*row) for row in read if row[0] not in _NO_AMOUNTS),
        sum(number for what, _, number, _ in read if what == "webhooks"),
        sum(number for what, _, number, _ in read if what == "repeated"),
    )


def dropped(before: Totals, held: Mapping[str, str], holds: Mapping[str, str]) -> dict[str, int]:
    """How many fees and payments the migrations between two identities may delete."""
    was, is_ = (each.get("latest_migration", "") for each in (held, holds))
    repeated = before.repeated if was < DROPS_REPEATED_PAYMENTS <= is_ else 0
    return {FEES: identity.dropped(held, holds), PAYMENTS: repeated}


def explained(before: Totals, after: Totals, dropped: Mapping[str, int]) -> Iterator[str]:
    """What the migrations were meant to delete."""
    for what, why in (
        (FEES, "fees without units and amount are gone: {} (the migrations of v1.20.0 delete such fees)"),
        (
            PAYMENTS,
            "payments with the provider's number of another one are gone: {} (the migrations of v1.22.0 delete them)",
        ),
    ):
        lost = _number(before, what) - _number(after, what)
        if 0 < lost <= dropped.get(what, 0):
            yield why.format(lost)


def problems(before: Totals, after: Totals, dropped: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each difference that nothing explains."""
    for table, was in before.rows.items():
        lost = was - after.rows.get(table, 0)
        if lost and not 0 < lost <= dropped.get(table, 0):
            yield f"the upgrade has {'lost' if lost > 0 else 'added'} {abs(lost)} of {was} {table}, and nothing explains it"
    had, has = ({(each.what, each.currency): each for each in side.amounts} for side in (before, after))
    for what, currency in sorted(had.keys() | has.keys()):
        none = Amount(what, currency, 0, 0)
        old, now = had.get((what, currency), none), has.get((what, currency), none)
        meant = 0 < old.number - now.number <= dropped.get(what, 0)
        # The fees that a migration deletes have no amount.
        if old.cents != now.cents and not (meant and what == PAYMENTS):
            yield (
                f"the {what} in {currency} added up to {old.cents} before the upgrade (in the smallest unit), and add up to "
                f"{now.cents} now"
            )
        elif old.number != now.number and not meant:
            yield f"there were {old.number} {what} in {currency} before the upgrade, and there are {now.number} now"


def _number(of: Totals, what: str) -> int:
    return sum(each.number for each in of.amounts if each.what == what)
