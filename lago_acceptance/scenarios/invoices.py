"""The billing cycle's invoices: the first one, its PDF as a customer fetches it, and the last one with the usage."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin

from lago_acceptance.checks.edge.bodies import REDIRECTS
from lago_acceptance.clients.answers import NotAnswered
from lago_acceptance.clients.lago import Document
from lago_acceptance.clients.paths import path_of
from lago_acceptance.core import registry
from lago_acceptance.core.roles import API, PDF, WORKER
from lago_acceptance.core.secrets import excerpt
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios.context import Context, red

# One to the file, and one from http to https.
HOPS = 5


def finalized(
    context: Context, customer: str, deadline: float, wanted: Callable[[Document], bool] = bool
) -> Document | None:
    """A customer's finalized invoice, as soon as there is one; None after ``deadline`` seconds without."""

    def look() -> Document | None:
        found = context.lago.some("invoices", external_customer_id=customer)
        return next(
            (invoice for invoice in found if invoice["status"] == "finalized" and wanted(invoice)), None
        )

    return until(look, deadline, what="invoice")


@registry.check(
    phase=5,
    errors={
        "invoice-missing": "Subscribing to a plan that is paid in advance creates an invoice.",
        "invoice-amount": "The first invoice has the plan's amount and currency.",
    },
)
def first(context: Context, amount_cents: int) -> Document:
    """Subscribing to a plan that is paid in advance makes an invoice over its amount."""
    context.preconditions.need(WORKER, "the first invoice, which the worker creates")
    seconds = context.timeouts.invoice
    if not (found := finalized(context, context.names.customer, seconds)):
        red(
            "invoice-missing",
            WORKER,
            f"no finalized invoice within {seconds:.0f} s of subscribing to a plan that is paid in advance",
            "customers use the product and never get a bill",
            "check that the worker reads the queue billing in the API's Redis (REDIS_URL of both), and read its log",
        )
    if (found["fees_amount_cents"], found["currency"]) != (amount_cents, "USD"):
        red(
            "invoice-amount",
            WORKER,
            f"the invoice of a plan of {amount_cents} USD cents bills "
            f"{found['fees_amount_cents']} {found['currency']} cents",
            "customers are billed the wrong amount",
            "compare GET /invoices/<id> with the plan; look for coupons, taxes and overrides",
        )
    return found


@registry.check(
    phase=5,
    errors={
        "invoice-without-file": "A new invoice gets a PDF.",
        "invoice-file-unreadable": "An invoice's file_url gives a PDF.",
    },
)
def file(context: Context, invoice: Document) -> str:
    """A finalized invoice gets a PDF, which can be fetched from the address that Lago gives."""
    context.preconditions.need(PDF, "the invoice's PDF")
    seconds = context.timeouts.file

    def url() -> str | None:
        path = path_of("invoices", invoice["lago_id"])
        return context.lago.get(path, "invoice").get("file_url")

    if not (found := until(url, seconds, what="the invoice's PDF")):
        red(
            "invoice-without-file",
            PDF,
            f"the finalized invoice has no file_url after {seconds:.0f} s",
            "customers get no PDF, and each invoice leaves a dead job",
            "set LAGO_PDF_URL of the worker to the PDF service, and read the worker's log",
        )
    _fetch(context, found)
    return found


def _fetch(context: Context, url: str) -> None:
    """Follow file_url as a browser does, and check that it gives a PDF."""
    try:
        for _ in range(HOPS):
            answer = context.lago.connection.fetch(url)
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                break
            url = urljoin(url, answer.headers["location"])
        came = f"{answer.status} {excerpt(answer.media_type, 100) or 'no content type'}"
        good = answer.status == 200 and answer.content.startswith(b"%PDF-")
    except NotAnswered as missing:
        came, good = missing.findings[0].problem, False
    except ValueError:
        came, good = f"a redirect to {excerpt(answer.headers['location'], 200)}, which is no URL,", False
    if not good:
        red(
            "invoice-file-unreadable",
            API,
            f"file_url gives {came} instead of a PDF",
            "customers click on a dead link",
            "LAGO_API_URL must be the public https URL, and /app/storage a volume that API and worker share",
        )


@registry.check(
    phase=5,
    errors={
        "last-invoice-missing": "Terminating a subscription creates an invoice for its usage.",
        "last-invoice-amount": "The last invoice has the amount of the usage.",
    },
)
def last(context: Context, before: Document, amount_cents: int) -> Document:
    """Terminating a subscription makes an invoice over its usage, beside the one ``before``."""
    seconds = context.timeouts.last_invoice
    other = finalized(
        context, context.names.customer, seconds, lambda invoice: invoice["lago_id"] != before["lago_id"]
    )
    if not other:
        red(
            "last-invoice-missing",
            WORKER,
            f"no invoice within {seconds:.0f} s of terminating",
            "the usage of customers who leave is never billed",
            "read the worker's log: the job is scheduled to run 2 s after terminating",
        )
    if other["fees_amount_cents"] != amount_cents:
        red(
            "last-invoice-amount",
            WORKER,
            f"the last invoice bills {other['fees_amount_cents']} cents for usage of {amount_cents}",
            "customers who leave are billed the wrong amount",
            "compare its fees with current_usage",
        )
    return other
