"""Rows and amounts of a database before and after an upgrade: equal, or the difference is explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from lago_acceptance.deploy import identity

FEES = "fees"


class Amount(msgspec.Struct, frozen=True):
    """How many invoices or fees of a currency there are, and their sum in its smallest unit."""

    what: str
    currency: str
    number: int
    cents: int


class Totals(msgspec.Struct, frozen=True):
    """Rows by table, and amounts."""

    rows: dict[str, int] = {}
    amounts: tuple[Amount, ...] = ()


def rows(values: Mapping[str, str]) -> dict[str, int]:
    """The counts among what ``identity`` of shell/dump.part.sh prints."""
    return {name: identity.number(values, name) for name in identity.COUNTED if name in values}


def amounts(lines: Iterable[str]) -> tuple[Amount, ...]:
    """The invoices and fees among what ``ask_sums`` of shell/walk.part.sh prints."""
    return tuple(
        Amount(row[0], row[1], int(row[2]), int(row[3])) for row in _rows(lines) if row[0] != "webhooks"
    )


def webhooks(lines: Iterable[str]) -> int:
    """How many webhooks it prints."""
    return sum(int(row[2]) for row in _rows(lines) if row[0] == "webhooks")


def _rows(lines: Iterable[str]) -> list[list[str]]:
    return [line.split("\t") for line in lines if line.count("\t") == 3]


def explained(before: Totals, after: Totals, dropped: int) -> Iterator[str]:
    """What the migrations were meant to delete: at most ``dropped`` fees."""
    lost = before.rows.get(FEES, 0) - after.rows.get(FEES, 0)
    if 0 < lost <= dropped:
        yield f"{lost} fees without units and amount are gone: the migrations of v1.20.0 delete such fees"


def problems(before: Totals, after: Totals, dropped: int) -> Iterator[str]:
    """A sentence for each difference that nothing explains."""
    allowed = {FEES: dropped}
    for table, was in before.rows.items():
        lost = was - after.rows.get(table, 0)
        if lost and not 0 < lost <= allowed.get(table, 0):
            yield f"the upgrade has {'lost' if lost > 0 else 'added'} {abs(lost)} of {was} {table}, and nothing explains it"
    had, has = ({(each.what, each.currency): each for each in side.amounts} for side in (before, after))
    for what, currency in sorted(had.keys() | has.keys()):
        none = Amount(what, currency, 0, 0)
        old, now = had.get((what, currency), none), has.get((what, currency), none)
        if old.cents != now.cents:
            yield (
                f"the {what} in {currency} added up to {old.cents} before the upgrade (in the smallest unit), and add up to "
                f"{now.cents} now"
            )
        elif old.number != now.number and not 0 < old.number - now.number <= allowed.get(what, 0):
            yield f"there were {old.number} {what} in {currency} before the upgrade, and there are {now.number} now"
