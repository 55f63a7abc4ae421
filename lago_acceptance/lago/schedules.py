"""How often Lago's clock enqueues each schedule (docs/lago-facts.md, section 1.7)."""

from __future__ import annotations

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
# Schedules whose interval is configurable, in seconds.
INTERVALS = {"refresh_lifetime_usages": "LAGO_LIFETIME_USAGE_REFRESH_INTERVAL_SECONDS"}
