"""Signs that billing works, read from the database without writing: what each one means.

The query of a sign is facts/scripts/signs/<id with underscores>.sql: facts can't import checks, so SQL and words meet by
the name. The sign's problem may use {count}, {since} and {examples}. money_signs.py and value_signs.py have more of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.checks import availability, database_trouble
from lago_acceptance.checks.postgres import locks
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import CLOCK, PDF, WORKER
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts


class BillingSign(msgspec.Struct, frozen=True, kw_only=True):
    """What it means that a sign's query finds something."""

    id: str
    role: str
    problem: str
    impact: str
    fix: str

    @property
    def name(self) -> str:
        """The name of its query and of its answer."""
        return self.id.replace("-", "_")


# So many examples are named of what a sign counts.
_SHOWN = 3
SIGNS: dict[str, BillingSign] = {}


def sign(
    id: str,
    *,
    phase: int,
    role: str,
    title: str,
    problem: str,
    impact: str,
    fix: str,
    severity: Severity = Severity.ERROR,
) -> BillingSign:
    """Register a sign. A warning is what the deployment's own customers may cause."""
    found = BillingSign(id=id, role=role, problem=problem, impact=impact, fix=fix)
    page = f"Impact: {impact}.\nFix: {fix}."
    registry.register(registry.Entry(id=id, phase=phase, severity=severity, title=title, page=page))
    SIGNS[found.name] = found
    return found


GENERATING = sign(
    "invoices-generating",
    phase=5,
    role=WORKER,
    title="No invoice has been generating for longer than 15 minutes.",
    problem="{count} invoices have been generating since {since}, longer than 15 minutes: {examples}",
    impact="they are neither shown nor paid, and their customers are not billed",
    fix="find their job's error in the worker's log and in the dead set; "
    "retry_generating_subscription_invoices retries them at half past each hour",
)
FAILED = sign(
    "invoices-failed",
    phase=5,
    role=WORKER,
    title="No invoice has failed.",
    problem="{count} invoices have failed, the oldest on {since}: {examples}",
    impact="their customers are not billed until the invoices are retried",
    fix="open them in the web UI, fix the error that they show (usually from the tax provider), and press Retry",
)
WITHOUT_FILE = sign(
    "invoices-without-file",
    phase=5,
    role=PDF,
    title="Every finalized invoice has its PDF.",
    problem="{count} invoices from the last 35 days are finalized but have no PDF, the oldest since {since}: {examples}",
    impact="customers get no PDF; the API returns file_url null",
    fix="check the PDF service, LAGO_PDF_URL of the worker and the storage volume; then POST "
    "/api/v1/invoices/ID/download",
)
UNBILLED = sign(
    "subscriptions-unbilled",
    phase=6,
    role=CLOCK,
    title="Every period of a subscription that has ended has its invoice.",
    problem="{count} active subscriptions have no invoice for the period that has ended, the first since {since}: "
    "{examples}",
    impact="that period is never billed",
    fix="check the clock (schedule:bill_customers at ten past each hour), the worker's queue `billing` and the dead set",
)
PENDING = sign(
    "subscriptions-pending",
    phase=6,
    role=CLOCK,
    title="No subscription is pending after its start day.",
    problem="{count} subscriptions are still pending although their start day has come, the first on {since}: {examples}",
    impact="the customer has ordered, but nothing is counted or billed",
    fix="check the clock (schedule:activate_subscriptions every five minutes) and the worker",
)
WEBHOOKS = sign(
    "webhooks-failed",
    phase=5,
    role=WORKER,
    title="Lago has not given up on a webhook in the last signs.webhook_days.",
    problem="Lago gave up on {count} webhooks, the first on {since} (answers: {examples})",
    impact="the receiver has missed the invoices, payments and subscriptions that they reported",
    fix="fix the receiver or its URL (GET /api/v1/webhook_endpoints), then retry them in the web UI under Developers",
)


def of_database(facts: Facts, sign: BillingSign) -> Iterator[Finding]:
    """The finding of a sign, where its query has found something.

    Unknown where this schema can't answer, or the answers broke off; Blocked where it waited for a lock that is held, met a
    time zone that is none, or where the database's own trouble explains it. LookupError where no query asks for the sign:
    that is a mistake of this suite, which must not pass for something that can't be seen.
    """
    database = availability.database(facts)
    answer = database.signs.get(sign.name)
    if answer is None and database.complete:
        raise LookupError(
            f"the database was never asked for the sign {sign.name}: is its query in scripts/signs?"
        )
    if answer is None or answer.count is None:
        error = (answer and answer.error) or facts.database_error or "its answers broke off"
        if "time zone" in error:
            raise Blocked("timezone-unknown", f"{sign.name} was not answered: {error[:100]}")
        if locks.was_cancelled(error) and locks.held(facts):
            raise Blocked("database-lock-held", f"{sign.name} was not answered: {error[:100]}")
        if answer is None or not locks.was_cancelled(error):
            database_trouble.must_be_without(facts, f"this database can't answer it: {error[:100]}")
        raise Unknown(f"this database can't answer it: {error[:200]}", fix="run again")
    if answer.count:
        problem = sign.problem.format(
            count=answer.count,
            since=minute(answer.oldest or 0),
            examples=", ".join(list(dict.fromkeys(map(str, answer.examples)))[:_SHOWN]),
        )
        yield Finding(id=sign.id, role=sign.role, problem=problem, impact=sign.impact, fix=sign.fix)
