"""How long parts of upgrades took where they were measured, on a real Lago (upgrade_times.tsv)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import msgspec

from lago_acceptance.lago.release_table import Release, releases
from lago_acceptance.lago.upgrades import numbers


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """How long ``what`` took on an upgrade between two tags: from ``least`` to ``most`` seconds, with this ``data``."""

    old: str
    new: str
    what: str
    least: int
    most: int
    data: str


@cache
def measured() -> tuple[Measured, ...]:
    """All measurements, in the order of the file."""
    with Path(__file__).with_name("upgrade_times.tsv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            Measured(
                old=row["from"],
                new=row["to"],
                what=row["what"],
                least=int(row["least"]),
                most=int(row["most"]),
                data=row["data"],
            )
            for row in csv.DictReader(stream, delimiter="\t")
        )


def measured_within(had: Release, has: Release) -> tuple[Measured, ...]:
    """The measurements of upgrades that are a part of that from ``had`` to ``has``."""
    known = releases()
    return tuple(
        each
        for each in measured()
        if had.age <= known[numbers(each.old)].age and known[numbers(each.new)].age <= has.age
    )
