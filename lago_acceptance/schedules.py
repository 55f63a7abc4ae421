"""Whether the clock enqueues each schedule when it should (Lago sheet, section 1.7). Answers are findings."""

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
_FINISHED = re.compile(r"Finished 'schedule:(\w+)' .*error=(.*)$")


def late_schedules(facts: Facts, clock: Container, schedules: dict[str, int]) -> list[Finding]:
    """Schedules that the clock has not enqueued within their time (seconds), by its own log.

    Unknown where the clock, or what is left of its log, is younger than that time.
    """
    lines = facts.stamped_log(clock)
    started = facts.started_at(clock)
    seen_since = max(started, lines[0][0] if lines else facts.host_clock)
    known = {
        name
        for _, text in lines
        if "Starting clock for" in text
        for name in re.findall(r"schedule:(\w+)", text)
    }
    findings, unsure = [], []
    for name, seconds in schedules.items():
        if known and name not in known:
            continue
        finished = [
            (at, found[2]) for at, text in lines if (found := _FINISHED.search(text)) and found[1] == name
        ]
        well = [at for at, error in finished if error.strip() == "nil"]
        age = facts.host_clock - well[-1] if well else None
        if age is not None and age <= seconds:
            continue
        if age is None and facts.host_clock - seen_since <= seconds:
            unsure.append(f"{name} ({seconds // MINUTE} min)")
            continue
        error = next((error for at, error in reversed(finished) if error.strip() != "nil"), "")
        last = f"for {age / MINUTE:.0f} minutes" if age is not None else f"since {time_of(seen_since)}"
        findings.append(
            Finding(
                id="schedule-late",
                role=CLOCK,
                service=clock.service.name,
                wrong=f"schedule:{name} was not enqueued {last}, and is due every "
                f"{60 if seconds > HOUR else 5} minutes" + (f": {error[:150]}" if error else ""),
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
