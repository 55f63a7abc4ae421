"""Whether the clock enqueues each schedule when it should (docs/lago-facts.md, section 1.7). Answers are
findings.
"""

from __future__ import annotations

import re

from lago_acceptance.checks.billing_signs import time_of
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import CLOCK
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.lago.schedules import _INTERVALS, BILLING, MINUTE

# Later versions write each line as JSON.
_FINISHED = re.compile(r"Finished 'schedule:(\w+)' .*?error=(nil\b|.*)")


def late_schedules(facts: Facts, clock: Container, schedules: dict[str, int]) -> list[Finding]:
    """Schedules that the clock has not enqueued within their time (seconds), by its own log.

    Unknown where the clock, or what is left of its log, is younger than that time or names none of them.
    """
    if unseen := facts.unseen_log(clock):
        raise Unknown(f"Docker gives no log of the clock: {unseen}")
    lines = facts.stamped_log(clock)
    seen_since = max(facts.started_at(clock), lines[0][0] if lines else facts.host_clock)
    own = _of_this_clock([text for _, text in lines], schedules)
    if not own:
        raise Unknown(
            f"the clock's log, which begins at {time_of(seen_since)}, says nothing of {', '.join(schedules)}"
        )
    findings, unsure = [], []
    for name, seconds in own.items():
        interval = clock.service.value(_INTERVALS.get(name, ""))
        seconds = 2 * int(interval) + MINUTE if interval.isdigit() else seconds
        finished = [
            (at, found[2]) for at, text in lines if (found := _FINISHED.search(text)) and found[1] == name
        ]
        well = [at for at, error in finished if error == "nil"]
        age = facts.host_clock - well[-1] if well else None
        if age is not None and age <= seconds:
            continue
        if age is None and facts.host_clock - seen_since <= seconds:
            unsure.append(f"{name} ({seconds // MINUTE} min)")
            continue
        error = next((error for at, error in reversed(finished) if error != "nil"), "")
        last = f"for {age / MINUTE:.0f} minutes" if age is not None else f"since {time_of(seen_since)}"
        findings.append(
            Finding(
                id="schedule-late",
                role=CLOCK,
                service=clock.service.name,
                problem=f"schedule:{name} was not enqueued {last}, and should be within "
                f"{seconds // MINUTE} minutes" + (f": {error[:150]}" if error else ""),
                impact="no recurring invoice is made"
                if name == "bill_customers"
                else "what it is for does not happen",
                fix="look at the clock's log and at Redis; restart the clock",
            )
        )
    if unsure and not findings:
        raise Unknown(
            f"the clock's log begins at {time_of(seen_since)}, later than these schedules may be apart: "
            f"{', '.join(unsure)}"
        )
    return findings


def _of_this_clock(lines: list[str], schedules: dict[str, int]) -> dict[str, int]:
    """Those schedules that this clock has: told at its start; where that is out of sight, by what it has done.

    Versions and settings differ in what they schedule, but every Lago bills.
    """
    known = {
        name for text in lines if "Starting clock for" in text for name in re.findall(r"schedule:(\w+)", text)
    }
    if not known and (known := {found[1] for text in lines if (found := _FINISHED.search(text))}):
        known |= BILLING.keys()
    return {name: seconds for name, seconds in schedules.items() if name in known}
