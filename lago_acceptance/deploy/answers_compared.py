"""What the API answers about old customers after an upgrade, beside what it answered before: names of fields and counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lago_acceptance.lago.answer_changes import WHOLE, ChangedAnswer

CHANGED, MISSING, REMOVED, ADDED, SAME = "changed", "missing", "removed", "added", "same"


class Difference(msgspec.Struct, frozen=True):
    """How a field of answers differs, in how many objects. ``of`` is the kind of object ("invoice.fees[]"), ``field`` is WHOLE
    where objects themselves are missing. ``known`` says why that is meant, "" where nothing explains it.
    """

    how: str
    of: str
    field: str
    objects: int
    known: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether something that was there is no longer, or says something else, and nothing explains it."""
        return self.how in (CHANGED, MISSING) and not self.known

    def __str__(self) -> str:
        place = self.of if self.field == WHOLE else f"{self.of}.{self.field}"
        known = f" ({self.known})" if self.known else ""
        return f"{place} in {self.objects}{known}"


class Compared(msgspec.Struct, frozen=True):
    """All differences, and how many values are the same."""

    same: int = 0
    differences: tuple[Difference, ...] = ()

    def of(self, *ways: str) -> tuple[Difference, ...]:
        """Those that differ in one of these ways."""
        return tuple(each for each in self.differences if each.how in ways)


def compared(lines: Iterable[str], known: Sequence[ChangedAnswer]) -> Compared:
    """What shell/walk.part.sh has compared: lines of how, object, field, count."""
    rows = [line.split("\t") for line in lines if line.count("\t") == 3]
    same = next((int(row[3]) for row in rows if row[0] == SAME), 0)
    return Compared(same, tuple(_difference(row, known) for row in rows if row[0] != SAME))


def _difference(row: list[str], known: Sequence[ChangedAnswer]) -> Difference:
    how, of, field, count = row
    why = next((f"since {each.since}: {each.says}" for each in known if each.explains(of, field)), "")
    return Difference(how, of, field, int(count), why)


def problems(found: Compared) -> Iterator[str]:
    """A sentence for each difference that nothing explains."""
    for each in found.of(CHANGED):
        if not each.is_finding:
            continue
        if each.of.startswith("GET "):
            asked = "another status" if each.field == "status" else "another number of objects"
            yield f"{each.of} has {asked} than before the upgrade for {each.objects} of the sampled requests"
        else:
            yield f"the API's answers about old customers have changed: {each.of}.{each.field}, in {each.objects} objects"
    for each in found.of(MISSING):
        if each.is_finding:
            yield f"the API's answers about old customers lack what they had before: {each.objects} of {each.of}"
