"""What must be the same after a deploy as before it: the database, its rows, the jobs that wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

COUNTED = ("organizations", "customers", "plans", "subscriptions", "invoices", "fees", "events", "wallets")
WAITING = ("queued", "retry", "schedule")
# The migration (v1.20.0) that deletes charges' fees without units and amount.
DROPS_ZERO_FEES = "20250103124802"


def parsed(lines: Iterable[str]) -> dict[str, str]:
    """Name and value of each line that ``identity`` of shell/dump.part.sh prints."""
    pairs = (line.partition("\t") for line in lines)
    return {name: value for name, tab, value in pairs if tab}


def lost(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """What was there before and is missing now, a sentence for each loss."""
    was, is_ = before.get("system_identifier"), after.get("system_identifier")
    if was and was != is_:
        yield (
            "this is another PostgreSQL cluster than before"
            if is_
            else "the database that was there before can no longer be read"
        )
        return
    for name in COUNTED:
        meant = dropped(before, after) if name == "fees" else 0
        if number(after, name) < number(before, name) - meant:
            yield f"there were {before[name]} {name} before, and there are {after.get(name, '0')} now"
    finished = number(after, "processed") - number(before, "processed")
    waited, waits = (sum(number(each, name) for name in WAITING) for each in (before, after))
    if finished < 0:
        yield "this is not the same Redis as before: its count of finished jobs has gone down"
    elif waits + finished < waited:
        yield f"{waited} jobs were waiting, {waits} are now, and only {finished} have run since"


def dropped(before: Mapping[str, str], after: Mapping[str, str]) -> int:
    """How many fees a migration that has run in between may have deleted: those without units and amount."""
    was, is_ = (each.get("latest_migration", "") for each in (before, after))
    return number(before, "zero_fees") if was < DROPS_ZERO_FEES <= is_ else 0


def grown(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What has been added, such as "2 customers, 40 events"; "" where nothing was."""
    more = ((name, number(after, name) - number(before, name)) for name in COUNTED)
    return ", ".join(f"{count} {name}" for name, count in more if count > 0)


def number(values: Mapping[str, str], name: str) -> int:
    """A count by its name, 0 where it is missing."""
    text = values.get(name, "")
    return int(text) if text.isdigit() else 0
