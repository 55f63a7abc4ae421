"""Check that one clock ticks, and no second one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.roles import CLOCK, WORKER
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Facts

# The clock enqueues this one at its start and every five minutes; the worker logs when it begins it.
_TICK = "Clock::ActivateSubscriptionsJob"
_BEGUN = re.compile(rf'"msg": ?"start".*"class": ?"{_TICK}"')
# Seconds within which a worker that isn't behind begins a job, and that lie between ticks that are no backlog.
_SOON, _APART = 120, 200


@registry.check(phase=2, errors={"clock-more-than-once": "One clock alone enqueues what recurs."})
def tick_alone(facts: Facts) -> Iterator[Finding]:
    """The worker begins the clock's five-minute job no more often than this deployment's clock enqueues it, as their logs say.

    Jobs that waited and are begun in one go are no second clock. Clocks of this project that are two containers are
    service-more-than-once, those of others that are connected to Redis clock-of-another.
    """
    clock, worker = availability.running(facts, CLOCK), availability.running(facts, WORKER)
    if len([each for each in facts.of_role(CLOCK) if each.running]) > 1:
        raise Blocked("service-more-than-once", "whether one clock ticks alone")
    availability.readable_log(facts, clock)
    availability.readable_log(facts, worker)
    ticks, begun = facts.stamped_log(clock), facts.stamped_log(worker)
    if not ticks or not begun:
        return
    seen_since = max(facts.started_at(clock), ticks[0][0], begun[0][0])
    enqueued = [at for at, text in ticks if f"Enqueued {_TICK}" in text]
    starts = sorted(at for at, text in begun if at > seen_since + _SOON and _BEGUN.search(text))
    extra = _unexplained(starts, enqueued)
    if len(extra) < 2 or extra[-1] - extra[0] < _APART:
        return
    yield Finding(
        id="clock-more-than-once",
        role=CLOCK,
        service=clock.service.name,
        problem=f"a second clock enqueues jobs: since {minute(seen_since)} the worker began {_TICK} {len(extra)} times more "
        f"than {clock.name} enqueued it, the last time at {minute(extra[-1])}",
        impact="what recurs is done by two clocks: customers may be billed, and subscriptions ended, twice or by another version",
        fix="find it: docker ps -a on this and other hosts (clockwork, start.clock.sh), and who is connected to Redis (CLIENT "
        "LIST); stop it",
    )


def _unexplained(starts: list[float], enqueued: list[float]) -> list[float]:
    """The starts of a job that follow no enqueueing of it; each of these explains one."""
    left = sorted(enqueued)
    extra = []
    for at in starts:
        cause = next((each for each in left if at - _SOON <= each <= at + 2), None)
        if cause is None:
            extra.append(at)
        else:
            left.remove(cause)
    return extra
