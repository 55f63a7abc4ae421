"""Numbers of a run as a reader sees them: in units of a size that is read at a glance."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from lago_acceptance.core.measurements import MEASURES, Measurement, worst

# Bars reach their full length here, or at the largest value: ACME certificates are issued for 90 days.
_FULL = {"certificate_days": 90.0, "queue_age": 300.0}
_TITLES = {
    "certificate_days": "Certificate that expires first",
    "queue_age": "Oldest job that waits",
    "disk_free": "Least free disk",
}
_SHOWN = 6
_STEPS = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"))


class Row(msgspec.Struct, frozen=True):
    """One value of a tile: what it is of, its text, a second number of the same thing, and its bar's length of 0 to 100,
    None where nothing says what is much.
    """

    about: str
    text: str
    beside: str
    length: int | None


class Tile(msgspec.Struct, frozen=True):
    """One kind of number: the value that matters most, and all of them, the one that matters most first."""

    title: str
    text: str
    rows: tuple[Row, ...]
    more: tuple[Row, ...]


def amount(name: str, value: float) -> str:
    """A value of a measure with its unit."""
    unit = MEASURES[name].unit
    if not math.isfinite(value):
        return "not known"
    if unit in ("seconds", "hours"):
        return duration(value * 3600 if unit == "hours" else value)
    if unit in ("bytes", "MiB"):
        return _size(value * 2**20 if unit == "MiB" else value)
    return f"{_digits(value)} {unit.removesuffix('s') if value == 1 else unit}"


def duration(seconds: float) -> str:
    """Seconds in words; "not known" where they are no number."""
    if not math.isfinite(seconds):
        return "not known"
    for length, unit in _STEPS:
        if abs(seconds) >= 2 * length:
            return f"{_digits(seconds / length)} {unit}"
    return f"{_digits(seconds)} s"


def tiles(measurements: tuple[Measurement, ...]) -> list[Tile]:
    """Certificates, queues and disk, as far as they were read."""
    beside = {
        each.about: amount("queue_jobs", each.value) for each in measurements if each.name == "queue_jobs"
    }
    found = []
    for name, title in _TITLES.items():
        mine = [each for each in measurements if each.name == name and math.isfinite(each.value)]
        if mine:
            mine.sort(key=lambda each: each.value, reverse=MEASURES[name].worst == "max")
            full = name in _FULL and max(_FULL[name], *(each.value for each in mine))
            rows = tuple(
                Row(
                    each.about,
                    amount(name, each.value),
                    beside.get(each.about, "") if name == "queue_age" else "",
                    round(100 * max(0.0, min(1.0, each.value / full))) if full else None,
                )
                for each in mine
            )
            found.append(Tile(title, rows[0].text, rows[:_SHOWN], rows[_SHOWN:]))
    return found


def others(measurements: tuple[Measurement, ...]) -> Iterator[tuple[str, str, str]]:
    """Of each other measure: its name in words, the value that matters most, and what that is of."""
    chosen = worst(measurements)
    for name in MEASURES:
        if name in chosen and name not in _TITLES:
            about = next(
                each.about for each in measurements if (each.name, each.value) == (name, chosen[name])
            )
            yield name.replace("_", " ").capitalize(), amount(name, chosen[name]), about


def headline(measurements: tuple[Measurement, ...], name: str) -> str:
    """The value of a measure that matters most, "" where it was not read."""
    chosen = worst(measurements)
    return amount(name, chosen[name]) if name in chosen else ""


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:
            return f"{_digits(size)} {unit}"
        size /= 1024
    return f"{_digits(size)} TiB"


def _digits(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0") if abs(value) < 10 else f"{value:,.0f}"
