"""Signs that money comes in and that usage is counted: invoices, payments, top-ups, webhooks, events.

Their bounds are those of [signs] in settings.toml, except where a sign says otherwise.
"""

from __future__ import annotations

from lago_acceptance.checks.billing_signs import sign
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, WORKER

NO_ORGANIZATION = sign(
    "no-organization",
    phase=5,
    role=API,
    title="Lago has an organization.",
    problem="the table organizations is empty",
    impact="no API key is valid, nobody can log in, and nothing can be billed",
    fix="if there was one, the database is not the one that Lago used: look at DATABASE_URL and the volume, or restore the "
    "last dump; on a new host sign up in the web UI, or seed with LAGO_CREATE_ORG",
)
KEYS = sign(
    "api-keys-expired",
    phase=5,
    role=API,
    title="Each organization has an API key that is valid.",
    problem="{count} organizations have no valid API key, the first since {since}: {examples}",
    impact="each request with one of its keys is answered 401: no event is taken and no customer subscribes",
    fix="create a key in the web UI under Developers, API keys, and hand it to the clients of that organization",
)
TOPUPS = sign(
    "wallet-topups-pending",
    phase=5,
    role=WORKER,
    title="No top-up of a wallet is pending without an unpaid invoice.",
    problem="{count} wallet top-ups are pending, the first since {since}, and no unpaid invoice holds them up: {examples}",
    impact="the customers get no credits: the top-ups were never invoiced, or were paid and not credited",
    fix="look for BillPaidCreditJob in the dead set and in the worker's log, fix its error and retry it; an invoice that is "
    "paid is credited by its payment provider's webhook, so look at that as well",
)
DRAFTS = sign(
    "invoices-draft-late",
    phase=5,
    role=CLOCK,
    title="No invoice is still a draft after its grace period.",
    problem="{count} invoices are still drafts after their issuing date, the first since {since}: {examples}",
    impact="they are neither sent nor paid",
    fix="check the clock (schedule:finalize_invoices at twenty past each hour) and Invoices::FinalizeJob in the dead set; "
    "PUT /api/v1/invoices/ID/finalize finalizes one",
)
OTHER_DAY = sign(
    "invoices-of-other-day",
    phase=5,
    role=WORKER,
    title="Invoices have their customer's time zone and a possible issuing date.",
    problem="{count} invoices have another time zone than their customer, or an issuing date before they were made or in the "
    "future, the first since {since}: {examples}",
    impact="they count for another day, month or tax period, and are due on another day",
    fix="compare invoices.timezone and issuing_date with the customer's and the organization's time zone, and look for "
    "what writes these columns beside Lago",
    severity=Severity.WARNING,
)
PAYMENTS_FAILED = sign(
    "payments-failed",
    phase=5,
    role=WORKER,
    title="No payment of a finalized invoice has failed.",
    problem="the payments of {count} invoices have failed, the first on {since}: {examples}",
    impact="the money is missing until the customer pays in another way or the payment is retried",
    fix="read the payment provider's reason in the web UI; POST /api/v1/invoices/ID/retry_payment tries again",
    severity=Severity.WARNING,
)
PAYMENTS_OVERDUE = sign(
    "payments-overdue",
    phase=5,
    role=WORKER,
    title="No payment is overdue by more than signs.overdue_days.",
    problem="{count} finalized invoices are overdue and not paid, the first since {since}: {examples}",
    impact="the money is missing; where no payment provider is connected, nobody tells Lago that it was paid",
    fix="remind the customers; where they have paid by other means, PUT /api/v1/invoices/ID with payment_status succeeded",
    severity=Severity.WARNING,
)
PAST_END = sign(
    "subscriptions-past-end",
    phase=6,
    role=CLOCK,
    title="No subscription is active after its end.",
    problem="{count} subscriptions are still active after their end, the first since {since}: {examples}",
    impact="their last invoice is missing, and they go on being billed: the clock ends a subscription on the very day only",
    fix="check the clock (schedule:terminate_ended_subscriptions at five past each hour) and the worker, then end them: "
    "DELETE /api/v1/subscriptions/EXTERNAL_ID",
)
WEBHOOKS_PENDING = sign(
    "webhooks-pending",
    phase=5,
    role=WORKER,
    title="No webhook is waiting to be sent for longer than signs.webhook_hours.",
    problem="{count} webhooks have been waiting to be sent, the first since {since} ({examples})",
    impact="their receiver doesn't learn of invoices, payments and subscriptions; Lago doesn't send them by itself any more",
    fix="look for SendHttpWebhookJob in the dead set and check that the worker reads the queue `webhook`; retry the "
    "webhooks in the web UI under Developers",
)
ENDPOINTS = sign(
    "webhook-endpoint-fails",
    phase=5,
    role=WORKER,
    title="Each webhook endpoint has taken at least one of its webhooks.",
    problem="{count} webhook endpoints have taken none of their webhooks since {since}: {examples}",
    impact="the receiver has learnt of nothing that Lago did",
    fix="send a request to the endpoint from the worker's container; correct the URL, the certificate or the receiver's check "
    "of the signature, or delete the endpoint if nobody needs it",
)
EVENTS_ODD_TIME = sign(
    "events-in-future",
    phase=5,
    role=API,
    title="No new event is dated in the future or before 2000.",
    problem="{count} events are dated in the future or before 2000, the first received on {since}: {examples}",
    impact="they are in no current billing period: this usage is billed late or never",
    fix="correct the client: timestamp is in seconds since 1970 as a number (milliseconds are far in the future, a text that "
    "is no number becomes 1970); then send the events again with new transaction_ids",
)
UNKNOWN_CODES = sign(
    "events-unknown-code",
    phase=5,
    role=API,
    title="New events have the code of a billable metric.",
    problem="at least {count} events have a code that no billable metric has, the first received on {since}: {examples}",
    impact="Lago stores them, answers 200 and never bills them",
    fix="correct the code in the client, or create the billable metric: events are counted by code from then on",
    severity=Severity.WARNING,
)
UNKNOWN_SUBSCRIPTIONS = sign(
    "events-unknown-subscription",
    phase=5,
    role=API,
    title="New events name a subscription that exists.",
    problem="{count} events name no subscription of their organization, the first received on {since}: {examples}",
    impact="Lago stores them, answers 200 and never bills them",
    fix="make the client send external_subscription_id (external_customer_id alone is not enough), as GET "
    "/api/v1/subscriptions lists it",
    severity=Severity.WARNING,
)
USAGE_STOPPED = sign(
    "usage-stopped",
    phase=5,
    role=API,
    title="Events come in where they did on each of the last seven days.",
    problem="{count} organizations get no events any more, which they did on each of the seven days before; the last one "
    "was on {since}: {examples}",
    impact="usage that isn't reported is not billed",
    fix="check that the clients still run and reach the API with a valid key: look for POST /api/v1/events in the API's log "
    "and at its status",
    severity=Severity.WARNING,
)
