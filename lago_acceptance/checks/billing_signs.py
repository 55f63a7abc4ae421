"""Signs that billing works, judged without writing: from the facts of a host. Answers are findings.

Unknown where the facts don't hold what a sign needs: another schema.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from lago_acceptance.checks import availability
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import CLOCK, PDF, WORKER
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.answers import DeadJob
from lago_acceptance.facts.sidekiq import Sidekiq
from lago_acceptance.facts.types import Facts


class BillingSign(msgspec.Struct, frozen=True):
    """A question that scripts/database.sql asks, and what it means when the answer is not none."""

    name: str
    id: str
    role: str
    problem: str
    impact: str
    fix: str


GENERATING = BillingSign(
    "invoices_generating",
    "invoices-generating",
    WORKER,
    "{count} invoices are being generated since {since}, longer than 15 minutes",
    "they are neither shown nor paid, and their customers are not billed",
    "look for the error of their job in the worker's log and in the dead set; "
    "retry_generating_subscription_invoices takes "
    "them up again at half past each hour",
)
FAILED = BillingSign(
    "invoices_failed",
    "invoices-failed",
    WORKER,
    "{count} invoices have failed, the oldest on {since}",
    "their customers are not billed until somebody retries",
    "open them in the web UI, mend what they name (tax provider, as a rule), and press Retry",
)
WITHOUT_FILE = BillingSign(
    "invoices_without_file",
    "invoices-without-file",
    PDF,
    "{count} invoices of the last 35 days are finalized and have no file, the oldest since {since}",
    "customers get no PDF; the API gives file_url null",
    "look at the PDF service, LAGO_PDF_URL of the worker and the storage volume; then POST "
    "/api/v1/invoices/ID/download",
)
UNBILLED = BillingSign(
    "subscriptions_unbilled",
    "subscriptions-unbilled",
    CLOCK,
    "{count} active subscriptions whose period has ended have no invoice for it, the first since {since}",
    "nobody pays for that period",
    "look at the clock (schedule:bill_customers at ten past each hour) and at the worker's queue `billing` "
    "and dead set",
)
PENDING = BillingSign(
    "subscriptions_pending",
    "subscriptions-pending",
    CLOCK,
    "{count} subscriptions are pending although their day has come, the first on {since}",
    "the customer has ordered and nothing is counted or billed",
    "look at the clock (schedule:activate_subscriptions every five minutes) and at the worker",
)
WEBHOOKS = BillingSign(
    "webhooks_failed",
    "webhooks-failed",
    WORKER,
    "{count} webhooks of the last 24 hours were given up, the first on {since} (answers: {some})",
    "the receiver does not know of invoices, payments and subscriptions that these told of",
    "mend the receiver or its URL (GET /api/v1/webhook_endpoints), then retry them in the web UI under "
    "Developers",
)


def of_database(facts: Facts, sign: BillingSign) -> list[Finding]:
    """The finding of a sign that PostgreSQL tells."""
    answer = availability.database(facts).signs.get(sign.name)
    if answer is None or answer.count is None:
        raise Unknown(f"this database can't tell it: {_reason(facts.database_error)}")
    if not answer.count:
        return []
    values = {
        "count": answer.count,
        "since": time_of(answer.oldest or 0),
        "some": ", ".join(str(each) for each in answer.examples),
    }
    some = "" if "{some}" in sign.problem else f": {values['some']}"
    return [
        Finding(
            id=sign.id,
            role=sign.role,
            problem=sign.problem.format(**values) + some,
            impact=sign.impact,
            fix=sign.fix,
        )
    ]


def _reason(error: str) -> str:
    return error[:200] or "it gave no answer"


def time_of(unix: float) -> str:
    """A Unix time for a message."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- jobs ---


def died(jobs: Sidekiq, since: float) -> list[Finding]:
    """Jobs that died after a time (Unix time)."""
    classes: dict[str, list[DeadJob]] = {}
    for job in jobs.dead:
        if job.at > since:
            classes.setdefault(job.name, []).append(job)
    return [
        Finding(
            id="jobs-died",
            role=WORKER,
            problem=f"{len(dead)} {name} died"
            + (f" since {time_of(since)}" if since else "")
            + f": {dead[0].error[:150]}",
            impact="Lago does not try again: the invoice, webhook or file that they were for is missing",
            fix="mend what the message names, then run them again from the dead set, and compare invoices",
        )
        for name, dead in classes.items()
    ]
