"""What has changed since earlier runs, in sentences."""

from __future__ import annotations

from lago_acceptance.core.moments import minute
from lago_acceptance.history.store import FLAPS, JUDGED, Standing, past_run
from lago_acceptance.reports.summary import Summary
from lago_acceptance.reports.verdict import NOT_KNOWN


def described(summary: Summary, standing: Standing) -> tuple[str, ...]:
    """What is new, what is gone, and whether the verdict flaps; one sentence each, none where nothing has changed."""
    before = standing.before
    if before is None:
        return ()
    when = minute(before.started)
    if summary.exit_code not in JUDGED:
        known = before.billing != NOT_KNOWN
        return (f"in the last run that could judge ({when}): {before.billing}",) if known else ()
    errors = past_run(summary).errors
    new = [id for id in errors if id not in before.errors]
    gone = [id for id in before.errors if id not in errors]
    said = []
    if new:
        said.append(f"new since the last run ({when}): {', '.join(new)}")
    if gone and standing.left_out:
        said.append(f"red in the last run ({when}), but not fully checked in this one: {', '.join(gone)}")
    elif gone:
        said.append(f"gone since the last run ({when}): {', '.join(gone)}")
    if standing.changes >= FLAPS:
        said.append(f"the verdict has changed {standing.changes} times in the last ten runs: it flaps")
    return tuple(said)
