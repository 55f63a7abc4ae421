"""Checks of the clock: it ticks, and enqueues each schedule when it should (docs/lago-facts.md, section 1.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute, since
from lago_acceptance.core.roles import CLOCK
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.lago.schedules import BILLING, INTERVALS, MINUTE

# The clock's shortest schedules are five minutes apart; a minute more for the job that is under way.
_TICK = 5 * MINUTE + MINUTE
# Later versions write each line as JSON.
_FINISHED = re.compile(r"Finished 'schedule:(\w+)' .*?error=(nil\b|.*)")


@registry.check(phase=2, errors={"clock-stands-still": "The clock triggers and enqueues jobs."})
def ticks(facts: Facts) -> Iterator[Finding]:
    """According to its log, the clock has triggered something within the last six minutes, and could enqueue it."""
    clock = availability.running(facts, CLOCK)
    availability.readable_log(facts, clock)
    failed = next((line for line in facts.log_since_start(clock) if "Failed enqueuing" in line), None)
    enqueued = facts.last_at(clock, "Enqueued ")
    triggered = facts.last_at(clock, "Triggering 'schedule:")
    late = triggered is None or facts.host_clock - triggered > _TICK
    if not late and (failed is None or enqueued is not None):
        return
    if failed and (by := availability.redis_trouble(facts)):
        raise Blocked(by, "the clock can't enqueue its jobs")
    if failed and not late:
        problem = f"it triggers jobs but can't enqueue them: {failed[:200]}"
    else:
        problem = "it has triggered nothing"
        problem += f" {since(triggered, facts.host_clock)}" if triggered is not None else ""
    yield Finding(
        id="clock-stands-still",
        role=CLOCK,
        service=clock.service.name,
        problem=problem,
        impact="no recurring invoices, no activations, no terminations",
        fix=f"give the clock the same REDIS_URL as the API and the worker, and read docker logs {clock.name}"
        if failed and not late
        else f"read docker logs {clock.name}, and restart it: docker restart {clock.name}",
    )


@registry.check(phase=2, errors={"schedule-late": "The clock enqueues each schedule in time."})
def enqueues_in_time(facts: Facts, schedules: dict[str, int]) -> Iterator[Finding]:
    """According to its log, the clock has enqueued each of these schedules within its interval (seconds) and a margin.

    Unknown where the clock, or what is left of its log, is younger than that or mentions none of them.
    """
    clock = availability.running(facts, CLOCK)
    availability.readable_log(facts, clock)
    lines = facts.stamped_log(clock)
    seen_since = max(facts.started_at(clock), lines[0][0] if lines else facts.host_clock)
    own = _of_this_clock([text for _, text in lines], schedules)
    if not own:
        raise Unknown(
            f"the clock's log, which begins at {minute(seen_since)}, does not mention {', '.join(schedules)}",
            why="the clock's log does not mention the schedule",
            fix="run again an hour after the clock was started",
        )
    late, unsure = [], []
    for name, seconds in own.items():
        limit = _limit(clock, name, seconds)
        runs = [
            (at, found[2]) for at, text in lines if (found := _FINISHED.search(text)) and found[1] == name
        ]
        done = [at for at, error in runs if error == "nil"]
        age = facts.host_clock - done[-1] if done else None
        if age is not None and age <= limit:
            continue
        if age is None and facts.host_clock - seen_since <= limit:
            unsure.append(f"{name} ({limit // MINUTE} min)")
            continue
        error = next((error for at, error in reversed(runs) if error != "nil"), "")
        last = since(done[-1] if done else seen_since, facts.host_clock)
        late.append(
            _late(
                clock, name, f"{last}; it should be enqueued at least every {limit // MINUTE} minutes", error
            )
        )
    if late and (by := availability.redis_trouble(facts)):
        raise Blocked(by, "the clock can't enqueue its jobs")
    if unsure and not late:
        raise Unknown(
            f"the clock's log begins at {minute(seen_since)}, too late to tell whether these schedules run in "
            f"time: {', '.join(unsure)}",
            why="the clock's log begins too late to tell whether its schedules run in time",
            fix="run again an hour after the clock was started",
        )
    yield from late


def _late(clock: Container, name: str, last: str, error: str) -> Finding:
    return Finding(
        id="schedule-late",
        role=CLOCK,
        service=clock.service.name,
        problem=f"schedule:{name} has not been enqueued {last}" + (f": {error[:150]}" if error else ""),
        impact="no recurring invoices are created"
        if name in BILLING
        else "the work of this schedule is not done",
        fix=f"read docker logs {clock.name}, and restart it: docker restart {clock.name}",
    )


def _limit(clock: Container, name: str, seconds: int) -> int:
    """The longest time between two runs: some intervals can be set by a variable."""
    interval = clock.service.value(INTERVALS.get(name, ""))
    return 2 * int(interval) + MINUTE if interval.isdigit() else seconds


def _of_this_clock(lines: list[str], schedules: dict[str, int]) -> dict[str, int]:
    """Those schedules that this clock has: listed at its start; once that is out of the log, those that it has run.

    Versions and settings differ in what they schedule, but every Lago bills.
    """
    known = {
        name for text in lines if "Starting clock for" in text for name in re.findall(r"schedule:(\w+)", text)
    }
    if not known and (known := {found[1] for text in lines if (found := _FINISHED.search(text))}):
        known |= BILLING.keys()
    return {name: seconds for name, seconds in schedules.items() if name in known}
