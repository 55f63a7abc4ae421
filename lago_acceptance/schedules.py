"""Whether the clock enqueues each schedule when it should (docs/lago-facts.md, section 1.7). Answers are
findings.
"""

from __future__ import annotations

import re

from lago_acceptance.errors import Unknown
from lago_acceptance.facts import Container, Facts
from lago_acceptance.findings import Finding
from lago_acceptance.roles import CLOCK
from lago_acceptance.signs import time_of

MINUTE, HOUR = 60, 3600

BILLING = {"bill_customers": 70 * MINUTE}
EVERY_FIVE_MINUTES = {
    name: 11 * MINUTE
    for name in (
        "activate_subscriptions",
        "refresh_draft_invoices",
        "refresh_lifetime_usages",
        "refresh_wallets_ongoing_balance",
    )
}
EVERY_HOUR = {
    name: 70 * MINUTE
    for name in (
        "terminate_ended_subscriptions",
        "post_validate_events",
        "api_keys_track_usage",
        "compute_daily_usage",
        "finalize_invoices",
        "mark_invoices_as_payment_overdue",
        "retry_generating_subscription_invoices",
        "terminate_coupons",
        "bill_ended_trial_subscriptions",
        "terminate_wallets",
        "process_dunning_campaigns",
        "termination_alert",
        "top_up_wallet_interval_credits",
    )
}
# Later versions write each line as JSON.
_FINISHED = re.compile(r"Finished 'schedule:(\w+)' .*?error=(nil\b|.*)")
# A schedule whose interval can be set, in seconds.
_INTERVALS = {"refresh_lifetime_usages": "LAGO_LIFETIME_USAGE_REFRESH_INTERVAL_SECONDS"}


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
                wrong=f"schedule:{name} was not enqueued {last}, and should be within "
                f"{seconds // MINUTE} minutes" + (f": {error[:150]}" if error else ""),
                leads_to="no recurring invoice is made"
                if name == "bill_customers"
                else "what it is for does not happen",
                mend="look at the clock's log and at Redis; restart the clock",
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
