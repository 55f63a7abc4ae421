"""Faults in Lago's own rows: nothing is down, and money does not come in."""

from __future__ import annotations

from tests.support.live.faults import Fault
from tests.support.live.faults.of_stores import sql

_AGO = "(now() AT TIME ZONE 'UTC') - interval"


def event(code: str, at: str, id: str) -> str:
    """SQL that adds an event which nobody can bill."""
    return (
        "INSERT INTO events (organization_id, transaction_id, code, external_subscription_id, timestamp, properties, created_at)"
        f" SELECT id, '{id}', '{code}', 'nobody', {at}, '{{}}', {_AGO} '5 minutes' FROM organizations LIMIT 1"
    )


FAULTS = (
    Fault(
        name="events of a code that no metric has",
        made=sql(
            event("no_such_metric", f"{_AGO} '5 minutes'", "fault-1"),
            "DELETE FROM events WHERE transaction_id = 'fault-1'",
        ),
        id="events-unknown-code",
        said=("no_such_metric",),
        warning=True,
        slow=True,
    ),
    Fault(
        name="events dated in milliseconds",
        made=sql(
            event("no_such_metric", "timestamp '4000-01-01'", "fault-2"),
            "DELETE FROM events WHERE transaction_id = 'fault-2'",
        ),
        id="events-in-future",
        slow=True,
    ),
    Fault(
        name="an organization's time zone is none",
        made=sql(
            "UPDATE organizations SET timezone = 'Mars/Olympus'",
            "UPDATE organizations SET timezone = 'UTC'",
        ),
        id="timezone-unknown",
        said=("Mars/Olympus",),
        slow=True,
    ),
)
